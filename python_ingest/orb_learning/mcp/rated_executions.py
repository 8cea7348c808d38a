"""Which execution feedback is of, and whose feedback is, as far as the database can be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from pydantic import BaseModel, Field

from orb_learning.errors import DatabaseError, FeedbackError
from orb_learning.feedback import SEVERAL_TASKS
from orb_learning.figures import Reader, Snapshot, Text, UtcTime
from orb_learning.record import identify
from orb_learning.store import execution_at, tasks_named, utc_now

LONGEST = 200
"""Characters of the task's text that are shown."""


class RatedExecution(BaseModel):
    """The execution that feedback is of."""

    task_id: UUID
    timestamp: UtcTime = Field(description="When it started, UTC.")
    task_description: Text | None = Field(description="The task, its first 200 characters.")
    repo: Text
    model_tier: Text
    success: bool


@dataclass(frozen=True)
class Rated:
    """What is known of the execution that an id names."""

    is_known: bool
    """False where the database cannot be read."""
    execution: RatedExecution | None = None


async def find_rated(reader: Reader, task_id: str) -> Rated:
    """Return the execution that an id names; none where it has not come, or was not built.

    Args:
        reader: of the database.
        task_id: a UUID, or the id that the task was recorded with, of any system.

    Raises:
        FeedbackError: it is no id, or names tasks of several systems.
    """
    try:
        own, external_id = identify(task_id, reader.settings.id_scope)
    except ValueError as error:
        raise FeedbackError(f"task_id: it must be an id (got {task_id!r:.50})") from error

    def find(snapshot: Snapshot) -> Rated:
        named = own
        if external_id is not None:
            connection = snapshot.connection
            tasks = tasks_named(connection, {own: external_id})[own]
            if len(tasks) > 1:
                raise FeedbackError(SEVERAL_TASKS)
            named = execution_at(connection, tasks[0], utc_now())
        rows = replace(snapshot, longest_text=LONGEST).select(
            RatedExecution, "executions_flat where task_id = $task_id", task_id=named
        )
        return Rated(True, RatedExecution.model_validate(rows[0]) if rows else None)

    try:
        return await reader.read(find)
    except DatabaseError:
        return Rated(False)


async def owns_feedback(reader: Reader, feedback_id: UUID, user: str) -> bool:
    """Return whether feedback that was loaded is a user's, or nobody's as public feedback is.

    Raises:
        DatabaseError: the database cannot be read.
    """
    rows = await reader.read(
        lambda snapshot: snapshot.rows(
            "select 1 from raw.feedback "
            "where feedback_id = $feedback_id and coalesce(user_id = $user, true)",
            feedback_id=feedback_id,
            user=user,
        )
    )
    return bool(rows)
