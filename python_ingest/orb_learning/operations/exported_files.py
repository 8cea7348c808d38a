"""The pages and exports that may still hold what was erased."""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from orb_learning.archive import readable_files
from orb_learning.errors import OrbError
from orb_learning.filesystem import held_open, open_regular
from orb_learning.locator import beside, folder_of
from orb_learning.operations.export import remove_written
from orb_learning.operations.mentions import ErasureTarget, mentions_any
from orb_learning.settings import LearningSettings
from orb_learning.store import (
    EndedError,
    StoppedError,
    answer_apart,
    ask_apart,
    connect_without_lock,
    identifier,
    limits_of,
    literal,
    mentions_any_sql,
    unglobbed,
    written_files,
)

ENDINGS = re.compile(
    r"\.((json|jsonl|ndjson|csv|tsv|txt|md|html|sql)(\.gz)?|parquet|db|duckdb)$", re.IGNORECASE
)
MOST_TEXTS = 1_000
"""Erased texts that are looked for, the longest; an export mostly has the tasks' ids, too."""
SHORTEST_TEXT = 16
"""Characters of a text that is looked for: a shorter one stands in other files by chance."""
OF_ROWS = (".parquet", ".db", ".duckdb")
MOST_BYTES = 2**30
"""Of a file of text that is searched, and of what it unpacks to; a larger one is taken to hold
something."""
LEAST_UNPACKED_BYTES, MOST_TIMES_ITS_SIZE = 64 * 2**20, 100
"""A gzip file that unpacks to more than both is, too."""
BLOCK_BYTES = 4 * 2**20
LEAST_OVERLAP = 2**10
"""Of two blocks, for what stands across their border: more than an id or a repository's name."""
MOST_MEMORY_BYTES = 1_536 * 2**20
"""Of the process that reads a file of rows; DuckDB's own limit leaves single values out."""
LITTLE: dict[str, Any] = {"memory_limit": "512MB", "threads": 1, "max_temp_directory_size": "4GB"}
TEXTS = """
select distinct unnest([task_description, error_message, solution_summary]) as text
from {source} where list_contains($ids::uuid[], task_id)
"""


@dataclass(frozen=True)
class ErasedContent:
    """By what a file is known to hold something that was erased."""

    target: ErasureTarget
    texts: tuple[str, ...]

    def is_in(self, file: Path) -> bool:
        """Whether a file holds some of it; one that cannot be read, or is too large, is taken to.

        Whoever made it: a database or a Parquet file is read by a process of its own.
        """
        name = file.name.lower()
        try:
            if name.endswith(OF_ROWS):
                with TemporaryDirectory(prefix="orb-") as folder:
                    asked = Path(folder) / "asked.json"
                    asked.write_text(self._to_json())
                    limits = limits_of(file)._replace(memory_bytes=MOST_MEMORY_BYTES)
                    return bool(ask_apart(__name__, [str(file), str(asked)], limits))
            return self._is_in_text(file, is_zipped=name.endswith(".gz"))
        except (OSError, EOFError, zlib.error, OrbError, StoppedError, EndedError):
            return True

    def _is_in_text(self, file: Path, *, is_zipped: bool) -> bool:
        overlap = max([LEAST_OVERLAP, *(2 * len(json.dumps(text)) for text in self.texts)])
        searched, before = 0, b""
        with (
            open_regular(file) as stored,  # a pipe that took its name would be waited for
            gzip.GzipFile(fileobj=stored) if is_zipped else nullcontext(stored) as opened,
        ):
            size = os.fstat(stored.fileno()).st_size
            if size > MOST_BYTES:
                return True
            most = min(MOST_BYTES, max(LEAST_UNPACKED_BYTES, MOST_TIMES_ITS_SIZE * size))
            while block := opened.read(BLOCK_BYTES):
                searched += len(block)
                if searched > most or self._is_in_bytes(before + block):
                    return True
                before = (before + block)[-overlap:]
        return False

    def _to_json(self) -> str:
        return json.dumps([self.target.to_json(), self.texts])

    @classmethod
    def from_json(cls, text: str) -> ErasedContent:
        """Return what another process wrote down."""
        target, texts = json.loads(text)
        return cls(ErasureTarget.from_json(target), tuple(texts))

    def is_in_rows(self, file: Path) -> bool:
        """Whether a database or a Parquet file holds some of it."""
        if not file.name.lower().endswith(".parquet"):
            return self._is_in_database(file)
        with held_open(file) as held, duckdb.connect(config=LITTLE) as connection:
            return self._is_in_rows(connection, f"read_parquet({literal(unglobbed(held))})")

    def _is_in_bytes(self, content: bytes) -> bool:
        pattern = self.target.repo_pattern
        return (
            mentions_any(content, self.target.task_ids)
            or (pattern is not None and re.search(pattern.encode(), content) is not None)
            or any(
                text.encode() in content or json.dumps(text)[1:-1].encode() in content
                for text in self.texts
            )
        )

    def _is_in_database(self, file: Path) -> bool:
        with connect_without_lock(file, limits=LITTLE, held=True) as connection:
            tables = connection.execute(
                "select schema_name, table_name from duckdb_tables() "
                "where database_name = current_database()"
            ).fetchall()
            return any(
                self._is_in_rows(connection, f"{identifier(schema)}.{identifier(table)}")
                for schema, table in tables
            )

    def _is_in_rows(self, connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
        texts = "list_transform($texts::varchar[], lambda one: contains(row_text, one))"
        [(found,)] = connection.execute(
            f"select exists (from (select t::varchar as row_text from {relation} as t) "  # noqa: S608
            f"where {mentions_any_sql('row_text', '$ids::varchar[]')} "
            "or coalesce(regexp_matches(row_text, $pattern), false) "
            f"or coalesce(list_bool_or({texts}), false))",
            {
                "ids": self.target.ids,
                "pattern": self.target.repo_pattern,
                "texts": list(self.texts),
            },
        ).fetchall()
        return bool(found)


def read_erased_content(
    connection: duckdb.DuckDBPyConnection, archive_folder: Path, target: ErasureTarget
) -> ErasedContent:
    """Read the texts of what is to be erased, while the database and the archive still hold it."""
    sources = ["raw.executions"]
    if files := [unglobbed(file) for file in readable_files(connection, archive_folder)]:
        sources.append(f"read_parquet([{', '.join(map(literal, files))}], union_by_name = true)")
    rows = connection.execute(
        f"select text from ({' union '.join(TEXTS.format(source=one) for one in sources)}) "  # noqa: S608
        f"where length(text) >= {SHORTEST_TEXT} "
        f"order by length(text) desc, text limit {MOST_TEXTS}",
        {"ids": target.ids},
    ).fetchall()
    return ErasedContent(target, tuple(text for (text,) in rows))


def remove_written_files(settings: LearningSettings) -> list[Path]:
    """Delete the pages and exports that were written from the database.

    Returns:
        those that were there; `orb report` and `orb export` write them anew.
    """
    path = settings.database_path
    page = folder_of(path).resolve() / "report.html"
    removed = sorted({*written_files(path), *([page] if page.is_file() else [])})
    for file in removed:
        remove_written(file)
    return removed


def find_exports(settings: LearningSettings, content: ErasedContent) -> list[Path]:
    """Return the files beside the database, and in the working folder, that hold some of it."""
    path = beside(settings.database_path, "").resolve()
    folders = {path.parent, Path.cwd()}
    return sorted(
        file
        for folder in folders
        for file in _export_like(folder)
        if not file.name.startswith(f"{path.stem}.before-restore-")
        and not (file.parent == path.parent and file.name.startswith(path.name))
        and content.is_in(file)
    )


def _export_like(folder: Path) -> Iterator[Path]:
    for file in folder.iterdir():
        if ENDINGS.search(file.name) and file.is_file() and not file.is_symlink():
            yield file


def _look_apart(arguments: list[str]) -> bool:
    file, asked = map(Path, arguments)
    return ErasedContent.from_json(asked.read_text()).is_in_rows(file)


if __name__ == "__main__":
    answer_apart(_look_apart)
