"""What runs inside an orchestrator: it records executions and never opens DuckDB."""

from orb_learning.capture.telemetry import TelemetryCapture

__all__ = [
    "TelemetryCapture",
]
