"""Files and folders for their owner alone, whatever the umask, and never through a link.

A folder whose group may write, and which hands its group on (``chmod 2770``), is shared: what is
made in it is its group's, too. Nothing is ever for others.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_SHARED = stat.S_ISGID | stat.S_IWGRP
_callers: list[int] = []
"""The umasks that this process had before it narrowed them, the first its own."""


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing.

    Raises:
        OSError: it cannot be made, or is no folder.
    """
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    for part in reversed(missing):
        mode = _mode_of_folder_in(part.parent)
        part.mkdir(mode, exist_ok=True)
        if mode != 0o700:  # which no umask narrows
            part.chmod(mode)
    folder.mkdir(exist_ok=True)  # a file of that name is an error


def narrow_umask() -> None:
    """Let what this process and its children make from now on be private.

    It is for files that a library makes by itself. Call it where the process is this package's own:
    an orchestrator's umask is not ours to set.
    """
    _callers.append(os.umask(0o077))


def share_umask(folder: Path) -> None:
    """Let what a process of a narrowed umask makes be its group's, too, where a folder is."""
    standing = next(part for part in (folder, *folder.absolute().parents) if part.is_dir())
    if _callers and _is_shared(standing):
        os.umask(0o007)


def callers_umask() -> int:
    """Return the umask that this process was started with, for files that are made to be shown."""
    if _callers:
        return _callers[0]
    mask = os.umask(0)
    os.umask(mask)
    return mask


def make_private(path: Path) -> None:
    """Let a file or folder that was just made be its owner's alone, or the shared group's."""
    path.chmod(_mode_of_folder_in(path.parent) if path.is_dir() else _mode_in(path.parent))


def open_private(file: Path, flags: int) -> int:
    """Open a file, made if it is missing, and return its descriptor; a link is refused.

    A file of this user that others may open, as older versions made them, is closed to them.

    Raises:
        OSError: it is a link, or cannot be opened or made.
    """
    mode = _mode_in(file.parent)
    flags |= os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(file, flags, mode)
    found = os.fstat(descriptor)
    if stat.S_IMODE(found.st_mode) != mode and found.st_uid == os.geteuid():
        os.fchmod(descriptor, mode)
    return descriptor


def write_private(file: Path, content: bytes) -> None:
    """Write a new file in the place of one of that name; a link is replaced, not followed.

    Raises:
        OSError: it cannot be written.
    """
    file.unlink(missing_ok=True)
    with os.fdopen(open_private(file, os.O_WRONLY | os.O_EXCL), "wb") as opened:
        opened.write(content)


def is_open_to_others(folder: Path) -> bool:
    """Whether accounts other than the owner's and its group's can look into a folder."""
    folder = folder.resolve()
    if not folder.stat().st_mode & (stat.S_IROTH | stat.S_IXOTH):
        return False
    return all(part.stat().st_mode & stat.S_IXOTH for part in folder.parents)


def _mode_of_folder_in(folder: Path) -> int:
    return 0o2770 if _is_shared(folder) else 0o700


def _mode_in(folder: Path) -> int:
    return 0o660 if _is_shared(folder) else 0o600


def _is_shared(folder: Path) -> bool:
    return folder.stat().st_mode & _SHARED == _SHARED
