"""How much feedback came, and how much of it is gone: live and archived feedback is the rest."""

from __future__ import annotations

import duckdb


def count_feedback(connection: duckdb.DuckDBPyConnection, *, came: int = 0, gone: int = 0) -> None:
    """Count feedback, in the transaction that brings or deletes it.

    Args:
        connection: a writable connection.
        came: how much came.
        gone: how much was taken back, forgotten with its task, or turned out to have come twice.
    """
    connection.execute(
        "update raw.feedback_counts set came_count = came_count + ?, gone_count = gone_count + ?",
        [came, gone],
    )
