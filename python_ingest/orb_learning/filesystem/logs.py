"""The package's log: no line of it acts on a terminal or shows the secrets of a URL."""

from __future__ import annotations

import logging

from orb_learning.filesystem.names import printable, without_controls
from orb_learning.filesystem.urls import without_secrets

_tracebacks = logging.Formatter()


def get_logger(name: str) -> logging.Logger:
    """Return the logger of a name; every module of the package logs by one of these."""
    logger = logging.getLogger(name)
    logger.addFilter(_clean)  # the same function again is not added again
    return logger


def _clean(record: logging.LogRecord) -> bool:
    """Write a record's message on one line, and its traceback, in printable characters."""
    message = without_secrets(printable(record.getMessage()))
    record.msg, record.args = without_controls(message), ()
    if record.exc_info and record.exc_info[0] is not None:
        said = _tracebacks.formatException(record.exc_info)
        record.exc_text = without_controls(without_secrets(printable(said)), kept="\n")
    return True
