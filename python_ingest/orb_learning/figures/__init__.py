"""What people, agents and programs are shown: one function a figure."""

from orb_learning.figures.changes import what_to_change
from orb_learning.figures.database_tools import (
    get_changes,
    get_data_quality_report,
    get_database_alerts,
    get_database_status,
    get_execution_statistics,
    get_executions,
    get_performance_metrics,
    get_policy_values,
    get_recommendations,
    get_route,
    get_storage_status,
)
from orb_learning.figures.describe import describe_data
from orb_learning.figures.executions import list_executions
from orb_learning.figures.funnel import record_funnel
from orb_learning.figures.performance import performance_metrics
from orb_learning.figures.quality import data_quality_report
from orb_learning.figures.questions import Questions
from orb_learning.figures.reader import WAIT_SECONDS, Reader, Snapshot
from orb_learning.figures.results import (
    LONGEST_TEXT,
    UNTRUSTED,
    Result,
    Text,
    UtcTime,
    shortened,
)
from orb_learning.figures.routing import (
    NO_DECISIONS,
    policy_values,
    recommend_route,
    route_recommendations,
)
from orb_learning.figures.routing_panels import routing_panels
from orb_learning.figures.routing_sentences import plan_in_words
from orb_learning.figures.similar import (
    find_similar_executions,
    similar_tasks,
    why_no_solution,
    why_no_task,
)
from orb_learning.figures.solutions import find_solutions
from orb_learning.figures.statistics import execution_statistics
from orb_learning.figures.status import read_contents, read_outbox_status
from orb_learning.figures.watching import database_status

__all__ = [
    "LONGEST_TEXT",
    "NO_DECISIONS",
    "UNTRUSTED",
    "WAIT_SECONDS",
    "Questions",
    "Reader",
    "Result",
    "Snapshot",
    "Text",
    "UtcTime",
    "data_quality_report",
    "database_status",
    "describe_data",
    "execution_statistics",
    "find_similar_executions",
    "find_solutions",
    "get_changes",
    "get_data_quality_report",
    "get_database_alerts",
    "get_database_status",
    "get_execution_statistics",
    "get_executions",
    "get_performance_metrics",
    "get_policy_values",
    "get_recommendations",
    "get_route",
    "get_storage_status",
    "list_executions",
    "performance_metrics",
    "plan_in_words",
    "policy_values",
    "read_contents",
    "read_outbox_status",
    "recommend_route",
    "record_funnel",
    "route_recommendations",
    "routing_panels",
    "shortened",
    "similar_tasks",
    "what_to_change",
    "why_no_solution",
    "why_no_task",
]
