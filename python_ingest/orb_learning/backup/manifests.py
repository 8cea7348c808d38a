"""What a backup is, and which there are.

A backup is a folder, named by its time. It has a copy of the database (of a lake, a dump of its
catalog, which names the files of its data) and of the outbox's segments that hold what it lacks, a
manifest, and the SHA-256 of each file as ``sha256sum --check`` reads them. It gets its name once it
is validated: the name is the mark of a verified backup.
"""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NaiveDatetime, ValidationError

from orb_learning.errors import BackupError, InvalidBackupError
from orb_learning.filesystem import read_regular
from orb_learning.store import DUMP_ENDING, FILE_ENDING, LakeFiles, TableChecksum

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
OUTBOX = "outbox"
TIME = "%Y%m%dT%H%M%S.%fZ"
_SUM = re.compile(r"([0-9a-f]{64})  (.+)")
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z", re.ASCII)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileChecksum(_Part):
    """The size and the SHA-256 of a file."""

    size_bytes: int
    sha256: str


class OutboxCopy(_Part):
    """A copied segment of the outbox."""

    outbox_id: uuid.UUID
    last_number: int


class BackupManifest(_Part):
    """What a backup holds, recorded when it was made."""

    format: Literal[1] = 1
    created_at: NaiveDatetime
    """Naive UTC; the folder's name. Never before an older backup's, even if the clock jumps."""
    database_id: uuid.UUID
    stem: Annotated[str, Field(pattern=r"^[^/\x00]+$")]
    """The database file's; views name the catalog after it, so a copy opens only under it."""
    schema_version: int
    duckdb_version: str
    """Which computed the tables' hashes; another one may compute others."""
    positions: dict[uuid.UUID, int]
    """How far the copied database holds each outbox."""
    tables: dict[str, TableChecksum]
    relations: list[str]
    """Every table, view and macro."""
    broken: dict[str, str]
    """Those of them that could not be queried in the database either, with the reason."""
    outbox: dict[Annotated[str, Field(pattern=r"^[^/]+\.sqlite$")], OutboxCopy]
    """The copied files, by name."""
    files: dict[
        Annotated[str, Field(pattern=r"^([^/\x00]+\.(db|dump)|outbox/[^/\x00]+\.sqlite)$")],
        FileChecksum,
    ]
    """The database and the segments of the outbox, by their path in the folder."""
    lake: LakeFiles | None = None
    """The files of a lake's data, which are not in the folder; None of a file."""

    @property
    def database_file(self) -> str:
        """The name of the copied database."""
        return f"{self.stem}{FILE_ENDING if self.lake is None else DUMP_ENDING}"

    def to_json(self) -> bytes:
        """Return it as it is written."""
        of_a_file = {"lake"} if self.lake is None else None
        return self.model_dump_json(indent=1, exclude=of_a_file).encode()

    @property
    def row_count(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables.values())

    @property
    def size_bytes(self) -> int:
        """The size of the copied files."""
        return sum(file.size_bytes for file in self.files.values())


@dataclass(frozen=True)
class Backup:
    """A backup, by its folder."""

    folder: Path

    @property
    def time(self) -> datetime:
        """When it was made, naive UTC, by its name."""
        return time_of(self.folder.name)

    @property
    def manifest(self) -> BackupManifest:
        """Its manifest.

        Raises:
            InvalidBackupError: it is missing or no manifest.
        """
        return read_manifest(self.folder)

    @property
    def verified_at(self) -> datetime:
        """When it was validated last, naive UTC; where a copy does not keep times, copied."""
        changed = (self.folder / SUMS).stat().st_mtime
        return datetime.fromtimestamp(changed, UTC).replace(tzinfo=None)

    def is_whole(self) -> bool:
        """Whether every file is there with the right size; this is no validation."""
        try:
            return (self.folder / SUMS).exists() and all(
                (self.folder / name).stat().st_size == file.size_bytes
                for name, file in self.manifest.files.items()
            )
        except (InvalidBackupError, OSError):
            return False


def backups_in(folder: Path) -> list[Backup]:
    """Return the backups in a folder, the oldest first."""
    if not folder.is_dir():
        return []
    names = sorted(path.name for path in folder.iterdir() if is_name(path.name))
    return [Backup(folder / name) for name in names]


def readable_backups(folder: Path) -> list[Backup]:
    """Return the backups whose manifest can be read, the oldest first."""
    readable = []
    for backup in backups_in(folder):
        with suppress(InvalidBackupError):
            backup.manifest  # noqa: B018
            readable.append(backup)
    return readable


def backups_by_database(folder: Path) -> dict[uuid.UUID, list[Backup]]:
    """Return the backups of each database, the oldest first, without those of none known."""
    found: defaultdict[uuid.UUID, list[Backup]] = defaultdict(list)
    for backup in readable_backups(folder):
        found[backup.manifest.database_id].append(backup)
    return found


def is_name(name: str) -> bool:
    """Whether a folder is named like a backup."""
    if _NAME.fullmatch(name) is None:
        return False
    try:
        time_of(name)
    except ValueError:  # a stranger's, of a 99th month
        return False
    return True


def time_of(name: str) -> datetime:
    """Return the time that a backup's name says, naive UTC."""
    return datetime.strptime(name, TIME)  # noqa: DTZ007


def whole_backups(folder: Path, database_id: uuid.UUID) -> Iterator[Backup]:
    """Yield the backups of one database whose files are all there, the newest first."""
    for backup in reversed(backups_in(folder)):
        if backup.is_whole() and backup.manifest.database_id == database_id:
            yield backup


def verified_offsets(folder: Path, database_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """Return how far the newest verified backup of a database holds each outbox."""
    for backup in whole_backups(folder, database_id):
        return backup.manifest.positions
    return {}


def files_of_backups(folder: Path) -> list[LakeFiles]:
    """Return the files of a lake that each backup of one in a folder needs, damaged or not."""
    manifests = (backup.manifest for backup in readable_backups(folder))
    return [manifest.lake for manifest in manifests if manifest.lake is not None]


def newest_copy(folder: Path, database_path: Path) -> tuple[Path, datetime] | None:
    """Return the database in the newest whole backup of one of its name, and when it was made."""
    for backup in reversed(backups_in(folder)):
        if (
            backup.is_whole()
            and backup.manifest.lake is None
            and backup.manifest.stem == database_path.stem
        ):
            return backup.folder / backup.manifest.database_file, backup.time
    return None


def read_manifest(folder: Path) -> BackupManifest:
    """Return the manifest in a folder.

    Raises:
        InvalidBackupError: it is missing or no manifest.
    """
    file = folder / MANIFEST
    try:
        state = file.stat()
        return _read(file, state.st_mtime_ns, state.st_size, state.st_ino)
    except OSError as error:
        raise InvalidBackupError(f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        what = error.errors(include_url=False)[0]
        where = ".".join(map(str, what["loc"]))
        raise InvalidBackupError(f"{file} is no manifest: {where} {what['msg']}") from error


@lru_cache(maxsize=64)
def _read(file: Path, *state: int) -> BackupManifest:  # noqa: ARG001 (a changed file is read again)
    return BackupManifest.model_validate_json(read_regular(file))


def checksums_in(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file, by its path in the folder, that SHA256SUMS says.

    Raises:
        InvalidBackupError: it is missing, or some line is none of a SHA-256 and a file.
    """
    try:
        text = read_regular(folder / SUMS).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidBackupError(f"{SUMS} cannot be read: {error}") from error
    lines = [_SUM.fullmatch(line) for line in text.removesuffix("\n").split("\n")]
    expected = {line[2]: line[1] for line in lines if line}
    if not text.endswith("\n") or None in lines or len(expected) != len(lines):
        raise InvalidBackupError(f"{SUMS} is damaged: not every line is a SHA-256 and a file")
    return expected


def folder_of(file: Path) -> Path:
    """Return the folder of a backup that is named by it, or by one of its files.

    Raises:
        BackupError: there is no such file.
    """
    if not file.exists():
        raise BackupError(f"{file} does not exist; `orb backups` lists the backups")
    return file if file.is_dir() else file.parent
