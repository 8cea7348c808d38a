"""Deleting on request what must not be kept, everywhere; tombstones keep it from coming back.

The order to erase goes through the outbox like every record, so a database that is restored from
an older backup loads it again. The relay applies it to the database (store's tombstones); the
archive and the outbox itself are cleaned here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import duckdb

from orb_learning.archive import before_erasing, copy_archive, read_index, rewrite_archive
from orb_learning.dbt import run_dbt
from orb_learning.errors import DbtError, OutboxError
from orb_learning.operations.erased_tasks import TaskId, find_target
from orb_learning.operations.exported_files import (
    ErasedContent,
    find_exports,
    read_erased_content,
    remove_written_files,
)
from orb_learning.operations.load import check_recorded, load_outbox
from orb_learning.operations.mentions import ErasureTarget, erase_records
from orb_learning.operations.remaining_copies import (
    find_remaining_copies,
    replace_remaining_copies,
)
from orb_learning.outbox import Outbox
from orb_learning.search import index_folder
from orb_learning.settings import LearningSettings
from orb_learning.store import (
    compact,
    connect,
    existing_tables,
    mentions_any_sql,
    snapshots_until,
    utc_now,
)

TASKS_A_RECORD = 10_000

BUILT_ANEW = (
    "+config.materialized:incremental",
    "+config.materialized:table",
    "routing_propensities",
)
"""dbt's selectors of what may hold an erased row, of the views that it is built from, and of what a
build publishes for routers."""


@dataclass
class Erasure:
    """What was deleted, and where it may still be."""

    task_count: int = 0
    version_count: int = 0
    """Versions in the database."""
    archived_count: int = 0
    """Versions in the archive."""
    outbox_count: int = 0
    """Records in the outbox."""
    still_in: list[Path | str] = field(default_factory=list)
    """Backups and files beside the database that hold some of it, and were left alone."""
    expires: dict[Path | str, date] = field(default_factory=dict)
    """When pruning removes a backup or a copy of one of these, if one is made every day."""
    out_of_reach: list[Path] = field(default_factory=list)
    """Archived files that are not in the archive's folder, and backups of which it is not known
    whose they are: they may hold some of it."""
    snapshots_until: date | None = None
    """When the last snapshot of a lake that holds some of it, and its files, are gone; of a file
    None."""
    removed_files: list[Path] = field(default_factory=list)
    """Pages that were written from the database, and are deleted."""
    exports: list[Path] = field(default_factory=list)
    """Files beside the database, and in the working folder, that hold some of it."""


def erase(
    settings: LearningSettings,
    *,
    task_ids: Collection[TaskId] = (),
    repo: str | None = None,
    in_backups: bool = False,
    now: datetime | None = None,
) -> Erasure:
    """Delete tasks from the database, the archive, the outbox, and what was refused.

    Run again after it was interrupted, it goes on.

    Args:
        settings: name the database, the outbox, the archive and the dbt project.
        task_ids: the tasks, by their UUIDs or by the ids that they were recorded with.
        repo: all tasks of a repository, besides; whatever names it and has no task, too.
        in_backups: whether to delete the backups and other copies that hold them, once there is a
            new verified backup that does not.
        now: naive UTC; the present time if None.

    Raises:
        OrbError: one of its subclasses says what could not be done; what was done stays done.
    """
    now = now or utc_now()
    path = settings.database_path
    check_recorded(settings)
    load_outbox(settings, now=now)
    target, content, removed_before = _read_target(settings, task_ids, repo)
    _order(settings.outbox_folder, target)
    load_outbox(settings, now=now)
    result = Erasure(len(target.task_ids))
    with connect(path) as connection:
        result.version_count = _removed_versions(connection, target) - removed_before
        _delete_residual_rows(connection, target)
        result.archived_count = rewrite_archive(connection, settings.archive_folder)
        index = read_index(connection)
        is_built = bool(existing_tables(connection, ["main.fct_executions"]))
        _delete_vectors(connection)
    result.out_of_reach += index.missing_in(settings.archive_folder)
    shutil.rmtree(index_folder(path), ignore_errors=True)  # `orb index` makes it again
    result.outbox_count = _erase_records(settings, target)
    copy_archive(settings, index)  # over the copies that still hold them
    if is_built:
        _build_anew(settings)
    compact(path)
    result.snapshots_until = snapshots_until(path, now)
    result.removed_files = remove_written_files(settings)
    result.exports = find_exports(settings, content)
    copies = find_remaining_copies(settings, index.database_id, target)
    result.out_of_reach += [backup.folder for backup in copies.unknown]
    if in_backups and copies.places(settings):
        replace_remaining_copies(settings, copies, now=now)
    else:
        result.still_in = copies.places(settings)
        result.expires = copies.expiry(settings, now)
    return result


def _read_target(
    settings: LearningSettings, task_ids: Collection[TaskId], repo: str | None
) -> tuple[ErasureTarget, ErasedContent, int]:
    """Return what is to be erased, its texts, and how many versions of it are gone already."""
    archive = settings.archive_folder
    with connect(settings.database_path, read_only=True) as connection, before_erasing(archive):
        target = find_target(connection, settings, task_ids, repo)
        content = read_erased_content(connection, archive, target)
        return target, content, _removed_versions(connection, target)


def _build_anew(settings: LearningSettings) -> None:
    """Build every table without what was erased.

    Raises:
        DbtError: a build fails, with what still holds the tasks.
    """
    try:
        # Texts that wait for their vectors can go on waiting.
        run_dbt(settings, "run", "--select", *BUILT_ANEW, "--exclude", "text_embeddings")
    except DbtError as error:
        raise DbtError(
            f"the tasks are deleted where they were recorded, but models in "
            f"{settings.database_path}, pages and backups still hold them: {error}. "
            f"Then forget again"
        ) from error


def _erase_records(settings: LearningSettings, target: ErasureTarget) -> int:
    """Erase what mentions the target from both outboxes; returns how many records."""
    return sum(
        erase_records(
            folder,
            lambda record: record.kind != "forget" and target.is_mentioned_in(record.payload),
        )
        for folder in settings.outbox_folders
    )


def _removed_versions(connection: duckdb.DuckDBPyConnection, target: ErasureTarget) -> int:
    """Return how many versions the tombstones of some tasks count."""
    [(count,)] = connection.execute(
        "select coalesce(sum(version_count), 0) from raw.forgotten "
        "where task_id in (select unnest($ids::uuid[]))",
        {"ids": target.ids},
    ).fetchall()
    return int(count)


def _order(outbox_folder: Path, target: ErasureTarget) -> None:
    outbox = Outbox(outbox_folder, synchronous="FULL", busy_timeout_ms=5_000, size_limit_bytes=None)
    ids = target.ids
    try:
        for start in range(0, len(ids), TASKS_A_RECORD):
            order = json.dumps({"task_ids": ids[start : start + TASKS_A_RECORD]})
            if not outbox.put("forget", order):
                raise OutboxError(
                    f"the order to erase could not be written to {outbox_folder}: "
                    f"{', '.join(outbox.refused())}; nothing was deleted"
                )
    finally:
        outbox.close()


def _delete_residual_rows(connection: duckdb.DuckDBPyConnection, target: ErasureTarget) -> None:
    """Delete what may have no task, but names a repository, or an id of erased tasks."""
    connection.execute(
        f"delete from raw.dead_letters where {mentions_any_sql('payload', '$ids::varchar[]')}",  # noqa: S608
        {"ids": [str(each) for each in target.named_by]},
    )
    if target.repo is None:
        return
    for table, content in (("raw.dead_letters", "payload"), ("raw.unreadable_rows", "content")):
        connection.execute(
            f"delete from {table} where regexp_matches({content}, ?)",  # noqa: S608
            [target.repo_pattern],
        )


def _delete_vectors(connection: duckdb.DuckDBPyConnection) -> None:
    """Delete the vectors of texts that no execution has any more."""
    if existing_tables(connection, ["main.text_embeddings"]):
        connection.execute(
            "delete from text_embeddings where text_id not in (select text_id from int_texts)"
        )
