"""One's own feedback: to read, to take along, and to take back.

Private feedback is in no relation that others query, so it is read from raw, after what waits in
the outbox was loaded, and from the archive.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from orb_learning.archive import FEEDBACK, rewrite_archive
from orb_learning.errors import ArchiveError, FeedbackError
from orb_learning.feedback import FEEDBACK_FIELDS, order_deletion
from orb_learning.operations.load import check_recorded, load_outbox
from orb_learning.operations.mentions import erase_records, mentions_any
from orb_learning.outbox import Outbox
from orb_learning.settings import LearningSettings
from orb_learning.store import connect, rows_as_dicts, unglobbed

_COLUMNS = ", ".join(FEEDBACK_FIELDS)


def read_own_feedback(settings: LearningSettings, user_id: str) -> list[dict[str, Any]]:
    """Return a user's feedback, the newest first.

    Args:
        settings: name the database, the outbox and the archive.
        user_id: the user.

    Returns:
        the fields of each, ``external_id`` (the task's id as it was recorded, where that is no
        UUID and its execution is in the database), ``has_execution`` (whether that is so) and
        ``is_archived``. Public feedback has no user, so it is not among them.

    Raises:
        OrbError: the outbox cannot be loaded, or the database or the archive cannot be read.
    """
    check_recorded(settings)
    load_outbox(settings)
    with connect(settings.database_path, read_only=True) as connection:
        return _find(connection, settings.archive_folder, "user_id = $user_id", user_id=user_id)


def delete_own_feedback(
    settings: LearningSettings,
    feedback_ids: Collection[uuid.UUID],
    user_id: str,
    *,
    now: datetime | None = None,
) -> int:
    """Delete a user's feedback from the database, the archive and the outbox, for good.

    Feedback without a name, as public feedback is, can be deleted by whoever knows its id.

    Args:
        settings: name the database, the outbox and the archive.
        feedback_ids: the feedback.
        user_id: whose it is.
        now: naive UTC; the present time if None.

    Returns:
        how many there were.

    Raises:
        FeedbackError: one of them is not there, or another's; none is deleted.
        OrbError: one of its subclasses says what could not be done; run again, it goes on.
    """
    wanted = set(feedback_ids)
    path, outbox_folder = settings.database_path, settings.outbox_folder
    archive = settings.archive_folder
    check_recorded(settings)
    load_outbox(settings, now=now)
    with connect(path, read_only=True) as connection:
        known = {
            row["feedback_id"]
            for row in _find(
                connection,
                archive,
                "coalesce(user_id = $user_id, true) and list_contains($ids::uuid[], feedback_id)",
                user_id=user_id,
                ids=list(map(str, wanted)),
            )
        }
    if missing := sorted(map(str, wanted - known)):
        raise FeedbackError(
            f"{user_id} has no feedback {', '.join(missing)}; nothing was deleted; "
            "`orb feedback list` shows what there is"
        )
    outbox = Outbox(outbox_folder, synchronous="FULL", busy_timeout_ms=5_000, size_limit_bytes=None)
    try:
        order_deletion(outbox, wanted)
    finally:
        outbox.close()
    load_outbox(settings, now=now)
    with connect(path) as connection:
        rewrite_archive(connection, archive)
    erase_records(
        outbox_folder,
        lambda record: (
            record.kind != "delete_feedback" and mentions_any(record.payload.encode(), wanted)
        ),
    )
    return len(wanted)


def _find(
    connection: duckdb.DuckDBPyConnection, archive_folder: Path, condition: str, **parameters: Any
) -> list[dict[str, Any]]:
    rows = rows_as_dicts(
        connection.execute(
            f"""
            select
                {_COLUMNS},
                external_id,
                versions.task_id is not null as has_execution,
                false as is_archived
            from raw.feedback
            left join (
                select task_id, arg_max(metadata ->> '$.external_id', _load_seq) as external_id
                from raw.executions
                where task_id in (select task_id from raw.feedback where {condition})
                group by task_id
            ) as versions using (task_id)
            where {condition}
            """,  # noqa: S608
            parameters,
        )
    )
    seen = {row["feedback_id"] for row in rows}
    for file in sorted(archive_folder.glob(FEEDBACK.pattern)):
        try:
            archived = rows_as_dicts(
                connection.execute(
                    f"""
                    select
                        {_COLUMNS},
                        null as external_id,
                        false as has_execution,
                        true as is_archived
                    from read_parquet($file)
                    where {condition} and not {FEEDBACK.is_tombstoned}
                    """,  # noqa: S608
                    {**parameters, "file": unglobbed(file)},
                )
            )
        except duckdb.Error as error:
            raise ArchiveError(
                f"{file} cannot be read; bring it back from a copy of the archive: "
                f"{str(error).splitlines()[0]}"
            ) from error
        rows += [row for row in archived if row["feedback_id"] not in seen]
        seen |= {row["feedback_id"] for row in archived}
    # What another way brought in may have no time.
    return sorted(rows, key=lambda row: str(row["submitted_at"] or ""), reverse=True)
