"""dbt as a process of its own, and what its connections need of this package."""

from orb_learning.dbt.process import run_dbt
from orb_learning.dbt.rules import rejecting_rules

__all__ = [
    "rejecting_rules",
    "run_dbt",
]
