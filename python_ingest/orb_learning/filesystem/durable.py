"""Files that must be what they were, and still be there after a power cut."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryDirectory

MOST_BYTES = 64 * 2**20
"""Of a file that is read whole: manifests, lists and logs have less."""


def is_full(error: BaseException) -> bool:
    """Whether an error says that a disk or a quota is full."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    import sqlite3

    return isinstance(error, sqlite3.Error) and "disk is full" in str(error)


@contextmanager
def translated_disk_errors(
    full: Callable[[], Exception], failed: Callable[[Exception], Exception]
) -> Iterator[None]:
    """Turn errors of the disk, and of SQLite on it, into the caller's own.

    Args:
        full: makes what is raised where a disk or a quota is full.
        failed: makes what is raised instead of any other error.
    """
    import sqlite3

    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise (full() if is_full(error) else failed(error)) from error


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: it is not a regular file, or cannot be read.
    """
    with open_regular(file) as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def read_regular(file: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """Return what is in a file that another may have made.

    Raises:
        OSError: it is not a regular file, is larger, or cannot be read.
    """
    with open_regular(file) as opened:
        content = opened.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than {most_bytes:,} bytes", str(file))
    return content


def open_regular(file: Path) -> BufferedReader:
    """Open a file that another may have made; a pipe would wait for who writes it.

    Raises:
        OSError: it is not a regular file, or cannot be opened.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except ValueError as error:  # a name that no file can have
        raise OSError(errno.EINVAL, str(error), str(file)) from error
    opened = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        opened.close()
        raise OSError(errno.EINVAL, "it is not a regular file", str(file))
    return opened


@contextmanager
def held_open(file: Path, *beside: str) -> Iterator[Path]:
    """Give a path of the same name at which a file stays, whatever takes its name meanwhile.

    For libraries that open by name: they would wait for who writes a pipe. The folder is nobody
    else's, and goes at the end. Closing ends the locks that this process has on the file.

    Args:
        file: the file, which another may have made.
        beside: endings of further files that belong to it, such as its log, where there are such.

    Raises:
        OSError: one is not a regular file, or cannot be opened.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="orb-")))
        for ending in ("", *beside):
            path = file.with_name(file.name + ending)
            if ending and not path.exists():
                continue
            opened = stack.enter_context(open_regular(path))
            (folder / path.name).symlink_to(f"/proc/self/fd/{opened.fileno()}")
        yield folder / file.name


def sync(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder; a pipe in its place is an error."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
