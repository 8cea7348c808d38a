"""Copies of backups and of the archive in another place: a folder, or what fsspec has a URL for."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orb_learning.backup.manifests import (
    MANIFEST,
    SUMS,
    Backup,
    BackupManifest,
    checksums_in,
    is_name,
)
from orb_learning.backup.signature import SIGNATURE
from orb_learning.errors import BackupError
from orb_learning.filesystem import copy_there, open_place, sha256_of, without_secrets


def copy_backup(backup: Backup, place: str) -> str:
    """Copy a backup, read the copy back and compare it, SHA256SUMS last.

    Args:
        backup: a verified backup.
        place: a folder, or a URL that fsspec knows; packages for it must be installed.

    Returns:
        where the copy is.

    Raises:
        BackupError: it was not copied; the backup is whole.
    """
    with _opened(place, f"{backup.folder} is whole, but it was not copied to") as (files, root):
        target = f"{root}/{backup.folder.name}"
        expected = checksums_in(backup.folder)
        # Last, so that what has it is whole.
        expected[SUMS] = sha256_of(backup.folder / SUMS)
        if (signature := backup.folder / SIGNATURE).exists():
            expected[SIGNATURE] = sha256_of(signature)
        for name in sorted(expected, key=lambda name: (name == SUMS, name == MANIFEST, name)):
            _copy_file(files, backup.folder / name, f"{target}/{name}", expected[name])
        return without_secrets(str(files.unstrip_protocol(target)), place)


def copy_archived_files(
    place: str, database_id: uuid.UUID, folder: Path, checksums: Mapping[str, str]
) -> list[str]:
    """Copy the archive's files that are new or were written again, read them back and compare them.

    ``SHA256SUMS`` beside the copies says what each file is; one that is not here any more is kept.

    Args:
        place: a folder, or a URL that fsspec knows.
        database_id: the database's, which names the folder there.
        folder: the archive.
        checksums: the SHA-256 of each file in it.

    Returns:
        the names of the files that were copied.

    Raises:
        BackupError: some were not copied; those are copied the next time.
    """
    copied, failed = [], []
    with _opened(place, f"not every file of {folder} was copied to") as (files, root):
        target = f"{root}/archive/{database_id}"
        there: dict[str, str] = {}
        if files.exists(f"{target}/{SUMS}"):
            lines = files.cat_file(f"{target}/{SUMS}").decode().splitlines()
            there = {name: sha256 for sha256, name in (line.split("  ", 1) for line in lines)}
        for name in sorted(name for name in checksums if there.get(name) != checksums[name]):
            try:
                _copy_file(files, folder / name, f"{target}/{name}", checksums[name])
            except (FileNotFoundError, BackupError) as error:
                failed.append(str(error))
            else:
                there[name] = checksums[name]
                copied.append(name)
        if copied:
            text = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(there.items()))
            files.pipe_file(f"{target}/{SUMS}", text.encode())
        if failed:
            raise BackupError("; ".join(failed))
    return copied


def _copy_file(files: Any, file: Path, to: str, sha256: str) -> None:
    if not copy_there(files, file, to, sha256):
        raise BackupError(f"{to}, read back, is another one")


def copies_of(place: str, database_id: uuid.UUID) -> list[str]:
    """Return the names of the whole copies of a database's backups, the oldest first.

    Raises:
        BackupError: the place cannot be read.
    """
    with _opened(place, "no copies were found in") as (files, root):
        if not files.exists(root):
            return []
        paths = (path.rstrip("/") for path in files.ls(root, detail=False))
        return sorted(
            path.rpartition("/")[2]
            for path in paths
            if is_name(path.rpartition("/")[2]) and _is_of(files, path, database_id)
        )


def remove_copies(place: str, names: Iterable[str]) -> None:
    """Remove copies of backups; what a failure leaves of one has no SHA256SUMS.

    Raises:
        BackupError: the place cannot be written.
    """
    with _opened(place, "not every copy was removed from") as (files, root):
        for name in names:
            files.rm_file(f"{root}/{name}/{SUMS}")
            files.rm(f"{root}/{name}", recursive=True)


def _is_of(files: Any, path: str, database_id: uuid.UUID) -> bool:
    if not files.exists(f"{path}/{SUMS}"):
        return False
    try:
        manifest = BackupManifest.model_validate_json(files.cat_file(f"{path}/{MANIFEST}"))
    except (FileNotFoundError, ValidationError):
        return False
    return manifest.database_id == database_id


def _opened(place: str, not_done: str) -> AbstractContextManager[tuple[Any, str]]:
    return open_place(place, not_done, BackupError)
