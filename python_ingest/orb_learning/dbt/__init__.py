"""dbt as a process of its own, and what its connections need of this package."""

from orb_learning.dbt.process import run_dbt

__all__ = [
    "run_dbt",
]
