"""A place for copies: a folder, or what fsspec has a URL for."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orb_learning.filesystem.durable import open_regular
from orb_learning.filesystem.urls import public_url, without_secrets

BYTES_AT_ONCE = 2**20


@contextmanager
def open_place(place: str, not_done: str, refused: type[Exception]) -> Iterator[tuple[Any, str]]:
    """Open a place, and turn whatever its own package raises into one error.

    Args:
        place: a folder, or a URL that fsspec knows; packages for it must be installed.
        not_done: what an error says was not done, up to the place.
        refused: the error's class.

    Yields:
        fsspec's file system, and the place's path in it.
    """
    try:
        import fsspec

        files, root = fsspec.core.url_to_fs(place)
        yield files, root.rstrip("/")
    except ImportError as error:
        raise refused(
            f"{not_done} {public_url(place)}: a package is missing ({error}); "
            f"pip install 'orb-learning[remote]'"
        ) from error
    except Exception as error:  # whatever the place's own package raises
        reason = without_secrets(f"{not_done} {public_url(place)}: {error}", place)
        raise refused(reason) from None  # its texts may have the place's password


def copy_there(files: Any, file: Path, to: str, sha256: str) -> bool:
    """Copy a file to a place, and read it back; returns whether that is what it should be."""
    files.makedirs(to.rpartition("/")[0], exist_ok=True)
    with open_regular(file) as source, files.open(to, "wb") as written:
        shutil.copyfileobj(source, written, BYTES_AT_ONCE)
    with files.open(to, "rb") as read_back:
        return bool(hashlib.file_digest(read_back, "sha256").hexdigest() == sha256)
