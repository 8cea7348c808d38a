"""Words for an outcome, and marks for nothing: the same in files as in capture."""

from __future__ import annotations

SUCCEEDED = frozenset({"completed", "complete", "success", "succeeded", "ok", "done", "passed"})
FAILED = frozenset(
    {"failed", "failure", "error", "timeout", "timed_out", "cancelled", "canceled", "crashed"}
)
YES = frozenset({"true", "t", "yes", "y", "1", "1.0"})
NO = frozenset({"false", "f", "no", "n", "0", "0.0"})

NULL_MARKS = frozenset(
    {"NULL", "null", "None", "none", "N/A", "n/a", "NA", "<NA>", "NaN", "nan", "NaT", r"\N"}
)
"""What databases, spreadsheets and data frames write for an unknown value; no other spelling."""

NOT_A_NUMBER, INFINITY = "NaN", "Infinity"
"""The texts in metadata for what JSON has no number for; minus infinity is ``-Infinity``."""


def outcome_of(word: str) -> bool | None:
    """Return whether a word says that an execution succeeded; None if it says neither."""
    lowered = word.strip().lower()
    if lowered in SUCCEEDED or lowered in YES:
        return True
    return False if lowered in FAILED or lowered in NO else None
