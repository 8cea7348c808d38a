"""The learning database of an orchestrator of AI agents.

Executions come in through Python, are checked and summed up by dbt in one DuckDB file,
and are read as marts. Nothing is opened or imported that a caller does not use: each name below
imports its module when it is first asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orb_learning.capture import TelemetryCapture
    from orb_learning.errors import OrbError
    from orb_learning.learning_database import LearningDatabase
    from orb_learning.outbox import Outbox
    from orb_learning.record import ExecutionRecord
    from orb_learning.routing import Router
    from orb_learning.settings import LearningSettings, load_settings

if sys.platform == "win32":
    raise ImportError("orb-learning runs on Linux; on Windows, install it inside WSL")

__all__ = [
    "ExecutionRecord",
    "LearningDatabase",
    "LearningSettings",
    "OrbError",
    "Outbox",
    "Router",
    "TelemetryCapture",
    "load_settings",
]

_MODULES = {
    "ExecutionRecord": "record",
    "LearningDatabase": "learning_database",
    "LearningSettings": "settings",
    "OrbError": "errors",
    "Outbox": "outbox",
    "Router": "routing",
    "TelemetryCapture": "capture",
    "load_settings": "settings",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("orb-learning")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
