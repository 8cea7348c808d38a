"""The connection to the database by the name that notebooks import."""

from orb_learning.store import connect as connect
