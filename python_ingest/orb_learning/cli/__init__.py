"""The command ``orb``: one module a group of commands, and how they print."""

from orb_learning.cli.app import app

__all__ = ["app"]
