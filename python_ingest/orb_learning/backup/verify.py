"""Whether a backup is, bit by bit and row by row, what it was when it was made."""

from __future__ import annotations

import os
import re
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from orb_learning.backup.manifests import (
    MANIFEST,
    OUTBOX,
    SUMS,
    TIME,
    Backup,
    BackupManifest,
    OutboxCopy,
    checksums_in,
    folder_of,
    is_name,
    read_manifest,
)
from orb_learning.backup.signature import signature_problem
from orb_learning.errors import DatabaseError, InvalidBackupError
from orb_learning.filesystem import sha256_of
from orb_learning.outbox import open_defensively
from orb_learning.store import contents_of_copy

_OF_DATA = re.compile(r".*(\.db|\.dump|\.wal|\.sqlite|-wal|-shm|-journal)")
"""Files that DuckDB or SQLite would read as part of a backup."""


@dataclass
class Validation:
    """What was checked of a backup, and what is wrong with it."""

    folder: Path
    manifest: BackupManifest | None = None
    problems: list[str] = field(default_factory=list)
    """Empty where the backup is what it was when it was made."""
    notes: list[str] = field(default_factory=list)
    """What could not be checked, and why."""
    file_count: int = 0
    """Files whose SHA-256 is right."""
    row_count: int = 0
    """Rows of tables that are counted and hashed as in the manifest."""
    relation_count: int = 0
    """Tables, views and macros that were queried."""


def validate_backup(
    file: Path, key_file: Path | None = None, database: Path | None = None
) -> Validation:
    """Check everything about a backup.

    Args:
        file: its folder, or the database or the manifest in it.
        key_file: the key that it must be signed with; none if None.
        database: the lake, on whose server a dump of one is opened; of a file, of no use.

    Raises:
        BackupError: there is no such file.
    """
    result = Validation(folder_of(file))
    if problem := signature_problem(result.folder, key_file):
        result.problems.append(problem)
    manifest = result.manifest = _check_bytes(result)
    if manifest and not result.problems:  # what is not what it was could do anything if opened
        _check_database(result, manifest, database or Path())
        for name, copy in manifest.outbox.items():
            _check_outbox(result, name, copy)
    if not result.problems:
        with suppress(OSError):  # a disk that cannot be written
            os.utime(result.folder / SUMS)
    return result


def check_backup(
    file: Path, key_file: Path | None = None, database: Path | None = None
) -> Validation:
    """Check everything about a backup.

    Raises:
        InvalidBackupError: names everything that is wrong with it.
        BackupError: there is no such file.
    """
    result = validate_backup(file, key_file, database)
    if result.problems:
        raise InvalidBackupError(
            f"{result.folder} is not what it was when it was made: {'; '.join(result.problems)}"
        )
    return result


def checksums_match(backup: Backup) -> bool:
    """Whether every file is, bit by bit, what was validated when the backup was made."""
    result = Validation(backup.folder)
    _check_bytes(result)
    return not result.problems


def _files_of_data(folder: Path) -> list[str]:
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in paths if path == MANIFEST or _OF_DATA.fullmatch(path))


def _check_bytes(result: Validation) -> BackupManifest | None:
    found = _check_sums(result)
    try:
        manifest = read_manifest(result.folder)
    except InvalidBackupError as error:
        result.problems.append(str(error))
        return None
    _check_files(result, manifest, found)
    return manifest


def _check_sums(result: Validation) -> dict[str, str]:
    """Verify every file by SHA256SUMS; returns what SHA-256 each has."""
    found = {}
    for name in _files_of_data(result.folder):
        try:
            found[name] = sha256_of(result.folder / name)
        except OSError as error:
            result.problems.append(f"{name} cannot be read: {error.strerror}")
    try:
        expected = checksums_in(result.folder)
    except InvalidBackupError as error:
        result.problems.append(str(error))
        return found
    result.problems += _differences(found, expected, SUMS)
    result.file_count = sum(found[name] == expected.get(name) for name in found)
    return found


def _check_files(result: Validation, manifest: BackupManifest, found: dict[str, str]) -> None:
    """Verify every file by the manifest."""
    name = result.folder.name
    if is_name(name) and name != manifest.created_at.strftime(TIME):
        result.problems.append(f"its manifest is that of the backup of {manifest.created_at}")
    expected = {name: file.sha256 for name, file in manifest.files.items()}
    without_itself = {name: sha256 for name, sha256 in found.items() if name != MANIFEST}
    result.problems += _differences(without_itself, expected, MANIFEST)


def _differences(found: dict[str, str], expected: dict[str, str], by: str) -> Iterator[str]:
    for name in sorted({*found, *expected}):
        if name not in expected:
            yield f"{name} is not in {by}"
        elif name not in found:
            yield f"{name}, which {by} names, is missing"
        elif found[name] != expected[name]:
            yield f"{name} is not what it was: its SHA-256 is not that in {by}"


def _check_database(result: Validation, manifest: BackupManifest, database: Path) -> None:
    try:
        file = result.folder / manifest.database_file
        tables, relations = contents_of_copy(file, manifest.lake, database)
    except DatabaseError as error:
        result.problems.append(f"the copied database cannot be read: {error}")
        return
    same_hash = manifest.duckdb_version == duckdb.__version__
    if not same_hash:
        result.notes.append(
            f"rows were counted but not hashed: DuckDB {manifest.duckdb_version} made the backup, "
            f"this is {duckdb.__version__}"
        )
    for name in sorted({*tables, *manifest.tables}):
        here, expected = tables.get(name), manifest.tables.get(name)
        if here is None or expected is None:
            result.problems.append(f"table {name} is {'missing' if expected else 'too many'}")
        elif here.rows != expected.rows:
            result.problems.append(f"table {name} has {here.rows:,} rows, not {expected.rows:,}")
        elif same_hash and here.hash != expected.hash:
            result.problems.append(f"the rows of table {name} are not those of the database")
        else:
            result.row_count += here.rows
    if sorted(relations) != manifest.relations:
        different = {*relations} ^ {*manifest.relations}
        result.problems.append(f"missing or too many: {', '.join(sorted(different))}")
    for name, refusal in relations.items():
        if refusal is None:
            result.relation_count += 1
        elif name in manifest.broken:
            result.notes.append(f"{name} could not be queried in the database either: {refusal}")
        else:
            result.problems.append(f"{name} cannot be queried: {refusal}")


def _check_outbox(result: Validation, name: str, expected: OutboxCopy) -> None:
    try:
        here = read_outbox_copy(result.folder / OUTBOX / name)
    except (OSError, sqlite3.Error, TypeError, ValueError) as error:
        result.problems.append(f"{OUTBOX}/{name} cannot be read: {error}")
        return
    if here != expected:
        result.problems.append(f"{OUTBOX}/{name} is {here}, not {expected}")


def read_outbox_copy(file: Path) -> OutboxCopy:
    """Return what a copied segment is; it is left as it is.

    Raises:
        sqlite3.Error, TypeError, ValueError: it is none, or damaged.
    """
    # immutable: without locks, and so without files beside it.
    with closing(open_defensively(file, "mode=ro&immutable=1")) as connection:
        [(state,)] = connection.execute("pragma integrity_check(1)").fetchall()
        if state != "ok":
            raise ValueError(state)
        [(outbox_id,)] = connection.execute("select outbox_id from outbox").fetchall()
        [(last,)] = connection.execute("select coalesce(max(id), 0) from records").fetchall()
    return OutboxCopy(outbox_id=uuid.UUID(outbox_id), last_number=last)
