"""What runs inside an orchestrator: it records executions and never opens DuckDB."""

from orb_learning.capture.outbox_of import outbox_of
from orb_learning.capture.redaction import redact_secrets
from orb_learning.capture.routing import cell_values, success_of
from orb_learning.capture.run import ExecutionRun
from orb_learning.capture.shapes import Decision, Result, Task
from orb_learning.capture.telemetry import TelemetryCapture

__all__ = [
    "Decision",
    "ExecutionRun",
    "Result",
    "Task",
    "TelemetryCapture",
    "cell_values",
    "outbox_of",
    "redact_secrets",
    "success_of",
]
