"""What the catalog in Postgres knows of the lake's files, by SQL on DuckLake's own tables."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, LiteralString

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import psycopg

FILES: LiteralString = """
    select distinct
        case
            when files.path_is_relative then schemas.path || tables.path || files.path
            else files.path
        end,
        files.file_size_bytes,
        files.end_snapshot is null
    from (
        select table_id, path, path_is_relative, file_size_bytes, end_snapshot
        from public.ducklake_data_file
        union all
        select table_id, path, path_is_relative, file_size_bytes, end_snapshot
        from public.ducklake_delete_file
    ) as files
    inner join public.ducklake_table as tables using (table_id)
    inner join public.ducklake_schema as schemas using (schema_id)
"""
"""Each file's path below the place of the data, its bytes, whether the newest snapshot has it."""
PLACE: LiteralString = (
    "select value from public.ducklake_metadata where key = 'data_path' and scope is null"
)
SCHEDULED_ANEW: LiteralString = """
    update public.ducklake_files_scheduled_for_deletion set schedule_start = now()
    where path = any(%(paths)s)
"""
FIRST_HELD_ID = 2**62
"""Of the files that a backup alone names; DuckLake's own numbers are far from it."""
SCHEDULED: LiteralString = """
    insert into public.ducklake_files_scheduled_for_deletion
        (data_file_id, path, path_is_relative, schedule_start)
    select
        row_number() over () + (
            select greatest(coalesce(max(data_file_id), 0), %(first)s::bigint)
            from public.ducklake_files_scheduled_for_deletion
        ),
        path, true, now()
    from unnest(%(paths)s::varchar[]) as held (path)
    where path not in (select path from public.ducklake_files_scheduled_for_deletion)
"""


class LakeFiles(BaseModel):
    """The files of a lake's data, as a dump of its catalog names them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    snapshot_id: int
    place: str
    """The folder or URL that they are below."""
    files: dict[str, int]
    """The bytes of each, by its path below it."""


def live_files(connection: psycopg.Connection[Any]) -> LakeFiles:
    """Return the files of the newest snapshot; one transaction of the caller sees one."""
    [(snapshot_id,)] = connection.execute(
        "select max(snapshot_id) from public.ducklake_snapshot"
    ).fetchall()
    [(place,)] = connection.execute(PLACE).fetchall()
    rows = connection.execute(FILES).fetchall()
    files = {path: size for path, size, is_live in rows if is_live}
    return LakeFiles(snapshot_id=snapshot_id, place=place, files=files)


def hold_files(connection: psycopg.Connection[Any], paths: Collection[str]) -> None:
    """Let no cleaning take these files for another while, also where nobody else names them.

    Those that are to be deleted are scheduled anew, as if that were decided just now. Those that
    the catalog does not know, as after the restore of an older one, are scheduled, too, so that
    they are no orphans. Called again and again, none of them is ever old enough.
    """
    known = {path for path, *_ in connection.execute(FILES).fetchall()}
    with connection.transaction():
        connection.execute(SCHEDULED_ANEW, {"paths": list(paths)})
        unknown = sorted(set(paths) - known)
        connection.execute(SCHEDULED, {"paths": unknown, "first": FIRST_HELD_ID})
