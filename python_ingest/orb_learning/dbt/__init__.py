"""dbt as a process of its own, its project, and what its connections need of this package."""

from orb_learning.dbt.failures import read_event
from orb_learning.dbt.process import log_file, run_dbt, show_dbt
from orb_learning.dbt.project import copy_project, find_project, packaged_project
from orb_learning.dbt.rules import rejecting_rules

__all__ = [
    "copy_project",
    "find_project",
    "log_file",
    "packaged_project",
    "read_event",
    "rejecting_rules",
    "run_dbt",
    "show_dbt",
]
