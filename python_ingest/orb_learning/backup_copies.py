"""Copies of backups in another place: a folder, or what fsspec has a URL for."""

from __future__ import annotations

import hashlib
import shutil

from orb_learning.errors import BackupError
from orb_learning.manifests import MANIFEST, SUMS, Backup, sums_in

BYTES_AT_ONCE = 2**20


def copy(backup: Backup, place: str) -> str:
    """Copy a backup, read the copy back and compare it, SHA256SUMS last.

    Args:
        backup: a verified backup.
        place: a folder, or a URL that fsspec knows; packages for it must be installed.

    Returns:
        where the copy is.

    Raises:
        BackupError: it was not copied; the backup is whole.
    """
    try:
        import fsspec
    except ImportError as error:
        raise BackupError(
            f"{backup.folder} is whole, but to copy it to {place} fsspec is needed: "
            f"pip install 'orb-learning[remote]'"
        ) from error
    try:
        files, root = fsspec.core.url_to_fs(place)
        target = f"{root.rstrip('/')}/{backup.folder.name}"
        noted = sums_in(backup.folder)
        # Last, so that what has it is whole.
        noted[SUMS] = hashlib.sha256((backup.folder / SUMS).read_bytes()).hexdigest()
        for name in sorted(noted, key=lambda name: (name == SUMS, name == MANIFEST, name)):
            to = f"{target}/{name}"
            files.makedirs(to.rpartition("/")[0], exist_ok=True)
            with (backup.folder / name).open("rb") as source, files.open(to, "wb") as written:
                shutil.copyfileobj(source, written, BYTES_AT_ONCE)
            with files.open(to, "rb") as read_back:
                if hashlib.file_digest(read_back, "sha256").hexdigest() != noted[name]:
                    raise BackupError(f"{to}, read back, is another one")
    except Exception as error:  # whatever the place's own package raises
        raise BackupError(
            f"{backup.folder} is whole, but it was not copied to {place}: {error}"
        ) from error
    return str(files.unstrip_protocol(target))
