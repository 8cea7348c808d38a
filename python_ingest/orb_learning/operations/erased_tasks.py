"""Which tasks are to be erased, by whatever names them."""

from __future__ import annotations

import uuid
from collections.abc import Collection

import duckdb

from orb_learning.archive import FEEDBACK, readable_files
from orb_learning.errors import OrbError
from orb_learning.operations.mentions import PARTIAL_OF_REPO, ErasureTarget
from orb_learning.record import identify, task_uuid
from orb_learning.settings import LearningSettings
from orb_learning.store import executions_of, known_tasks, literal, tasks_named, unglobbed

TaskId = uuid.UUID | str | int


def find_target(
    connection: duckdb.DuckDBPyConnection,
    settings: LearningSettings,
    task_ids: Collection[TaskId],
    repo: str | None,
) -> ErasureTarget:
    """Return the tasks, with a repository's, in the database and in the archive.

    Raises:
        OrbError: an id is none, or names tasks of several systems, or the archive has a file that
            cannot be read.
    """
    versions = _versions(connection, settings)
    tasks = executions_of(connection, _named(connection, settings.id_scope, task_ids, versions))
    if repo is not None:
        rows = connection.execute(
            f"select task_id from {versions} where repo = $repo union "  # noqa: S608
            f"select task_id from raw.pending_halves where {PARTIAL_OF_REPO}",
            {"repo": repo},
        ).fetchall()
        tasks |= {task_id for (task_id,) in rows}
    names = connection.execute(
        "select distinct metadata ->> '$.external_id' as name "  # noqa: S608
        f"from {versions} where name is not null and task_id in (select unnest(?::uuid[]))",
        [list(tasks)],
    ).fetchall()
    named_by = {task_uuid(name, settings.id_scope) for (name,) in names if name.strip()}
    return ErasureTarget(
        frozenset(tasks), repo, frozenset(named_by - known_tasks(connection, named_by))
    )


def _versions(connection: duckdb.DuckDBPyConnection, settings: LearningSettings) -> str:
    """Return the SQL of every version in the database and in the archive."""
    archived_files = readable_files(connection, settings.archive_folder)
    readable_files(connection, settings.archive_folder, FEEDBACK)  # before anything is deleted
    files = [literal(unglobbed(each)) for each in archived_files]
    columns = "select task_id, repo, metadata::varchar as metadata from"
    archived = f" union all {columns} read_parquet([{', '.join(files)}])" if files else ""
    return f"({columns} raw.executions{archived})"


def _named(
    connection: duckdb.DuckDBPyConnection,
    scope: str,
    task_ids: Collection[TaskId],
    versions: str,
) -> set[uuid.UUID]:
    try:
        identified = [identify(each, scope) for each in task_ids]
    except ValueError as error:
        raise OrbError(str(error)) from error
    names = {own: name for own, name in identified if name is not None}
    found = {own for own, name in identified if name is None}
    for own, tasks in tasks_named(connection, names, versions).items():
        if len(tasks) > 1:
            raise OrbError(
                f"{names[own]!r} names tasks of several systems: {', '.join(map(str, tasks))}; "
                "name the task by its UUID"
            )
        found.add(tasks[0])
    return found
