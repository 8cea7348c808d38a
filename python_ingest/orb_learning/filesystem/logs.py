"""The package's log: no line of it acts on a terminal or shows the secrets of a URL."""

from __future__ import annotations

import logging

from orb_learning.filesystem.names import printable, without_controls
from orb_learning.filesystem.urls import without_secrets

_tracebacks = logging.Formatter()
LONGEST_LINE = 1_000
"""Characters of what a library logs; clients choose some of it."""


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


def log_in_lines() -> None:
    """Let this process log each record as one line on standard error, and no traceback.

    It is for servers: what clients send makes their libraries log, and a traceback drawn for each
    of it takes a tenth of a second. Where something else has set the log up, that stays.
    """
    handler = logging.StreamHandler()
    handler.addFilter(_in_a_line)
    logging.basicConfig(
        level=logging.WARNING, format="%(levelname)s:%(name)s:%(message)s", handlers=[handler]
    )


def _in_a_line(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    record.exc_info, record.exc_text = None, None
    _clean(record)
    said = str(record.msg)[:LONGEST_LINE]
    record.msg = f"{said}: {type(error).__name__}" if error is not None else said
    return True
