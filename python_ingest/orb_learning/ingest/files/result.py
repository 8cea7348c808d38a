"""What came of an import: what was loaded, what was not and why, and what the build will reject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

COMMONEST = 3
"""Reasons that are named."""

Counted = tuple[tuple[str, int], ...]
"""Words, and how many rows they are about; the most first."""


@dataclass(frozen=True)
class ImportResult:
    """What came of one file; all counts are 0 where it was known already."""

    file: Path
    sha256: str
    already_known: bool
    row_count: int
    """Rows that went into raw.executions."""
    unreadable_count: int
    """Rows that went into raw.unreadable_rows."""
    unreadable_reasons: Counted = ()
    """Their commonest reasons, without the rows' own values."""
    rejected_count: int = 0
    """Loaded rows that break a rule, so that the next build rejects them."""
    rejected_reasons: Counted = ()
    """The rules that most of them break."""
    set_aside: Counted = ()
    """Columns of which a bad value was set aside; metadata has it."""
    mapping: str | None = None
    """Whose records they were, where that is another system."""
    notes: tuple[str, ...] = ()
    """How names and times were taken that could mean something else."""

    @property
    def usable_count(self) -> int:
        """Loaded rows that the next build takes."""
        return self.row_count - self.rejected_count


def unreadable_reasons(connection: duckdb.DuckDBPyConnection, sha256: str) -> Counted:
    """Return the commonest reasons for which rows of a file could not be read."""
    found = connection.execute(
        r"""
        select regexp_replace(reason, '''.*?'' ', '', 'g') as kind, count(*) as row_count
        from raw.unreadable_rows
        where file_sha256 = ?
        group by all
        order by row_count desc, kind
        limit ?
        """,
        [sha256, COMMONEST],
    )
    return tuple((str(kind), int(count)) for kind, count in found.fetchall())


def set_aside(connection: duckdb.DuckDBPyConnection, first: int, sha256: str) -> Counted:
    """Return of how many rows a value was set aside, by column; vectors by their dimensions.

    Args:
        connection: a connection that sees the rows.
        first: the first load number of the file's rows.
        sha256: the file's hash, which names the note beside one of an earlier import.
    """
    found = connection.execute(
        """
        with notes as (
            select unnest([(metadata -> '$._import'), (metadata -> $own)]) as note
            from raw.executions
            where _load_seq >= $first and contains(metadata, '"_import')
        ),
        said as (
            select case
                when (note -> '$.embedding_nulls') is not null then 'embedding with NULLs'
                when (note -> '$.embedding_dimensions') is not null
                    then 'embedding of ' || (note ->> '$.embedding_dimensions') || ' dimensions'
            end as what
            from notes
            union all
            select unnest(json_keys(note, '$.set_aside')) from notes
        )
        select what, count(*) as row_count
        from said
        where what is not null
        group by all
        order by row_count desc, what
        """,
        {"first": first, "own": f"$._import_{sha256[:8]}"},
    )
    return tuple((str(what), int(count)) for what, count in found.fetchall())


def rejected(
    connection: duckdb.DuckDBPyConnection, first: int, rules: Mapping[str, str]
) -> tuple[int, Counted]:
    """Return how many of a file's rows break a rule, and the rules that most of them break.

    Args:
        connection: a connection that sees the rows.
        first: the first load number of the file's rows.
        rules: by name, the SQL condition that holds for a valid row.
    """
    # The import stores no vector of another length, and vectors take long to read.
    rules = {name: sql for name, sql in rules.items() if "embedding" not in sql}
    if not rules:
        return 0, ()
    names = list(rules)
    breaks = [f"coalesce(not ({condition}), false)" for condition in rules.values()]
    counts = ", ".join(f"count(*) filter ({broken})" for broken in breaks)
    [(total, *each)] = connection.execute(
        f"select count(*) filter ({' or '.join(breaks)}), {counts} "  # noqa: S608
        f"from raw.executions where _load_seq >= ?",
        [first],
    ).fetchall()
    found = sorted(
        ((name, int(count)) for name, count in zip(names, each, strict=True) if count),
        key=lambda one: -one[1],
    )
    return int(total), tuple(found[:COMMONEST])
