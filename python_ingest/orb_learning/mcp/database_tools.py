"""The monitoring figures by the names that callers import."""

from orb_learning.figures import get_changes as get_changes
from orb_learning.figures import get_data_quality_report as get_data_quality_report
from orb_learning.figures import get_database_alerts as get_database_alerts
from orb_learning.figures import get_database_status as get_database_status
from orb_learning.figures import get_execution_statistics as get_execution_statistics
from orb_learning.figures import get_performance_metrics as get_performance_metrics
from orb_learning.figures import get_storage_status as get_storage_status
