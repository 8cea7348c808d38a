"""Whose a backup is: a code of its checksums by a key that does not lie beside it.

SHA256SUMS says that files are what was written. Whoever can write the folder can write it, too; the
code (HMAC-SHA256, RFC 2104) only who has the key.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from orb_learning.backup.manifests import SUMS
from orb_learning.errors import BackupError
from orb_learning.filesystem import read_regular, write_private

SIGNATURE = "SHA256SUMS.hmac"
SHORTEST_KEY = 16


def sign(folder: Path, key_file: Path | None) -> None:
    """Write the code beside the checksums, where there is a key.

    Raises:
        BackupError: the key cannot be read, or others may read it.
    """
    if key_file is not None:
        write_private(folder / SIGNATURE, f"{_code(folder, key_file)}\n".encode())


def signature_problem(folder: Path, key_file: Path | None) -> str | None:
    """Return what is wrong with the code of a backup; nothing is where there is no key.

    Raises:
        BackupError: the key cannot be read, or others may read it.
    """
    if key_file is None:
        return None
    try:
        found = read_regular(folder / SIGNATURE).decode("ascii").strip()
        expected = _code(folder, key_file)
    except (OSError, ValueError):
        return f"{SIGNATURE} cannot be read, so it is not known whose backup it is"
    if not hmac.compare_digest(found, expected):
        return f"{SIGNATURE} is not by the key: another one made this backup"
    return None


def _code(folder: Path, key_file: Path) -> str:
    try:
        key = key_file.read_bytes().strip()
        mode = key_file.stat().st_mode
    except OSError as error:
        raise BackupError(f"the key of backups cannot be read: {error}") from error
    if mode & 0o077 or len(key) < SHORTEST_KEY:
        raise BackupError(
            f"{key_file}: the key must have {SHORTEST_KEY} characters and be its owner's alone; "
            f"`(umask 077; openssl rand -hex 32 > FILE)` makes one"
        )
    return hmac.new(key, read_regular(folder / SUMS), hashlib.sha256).hexdigest()
