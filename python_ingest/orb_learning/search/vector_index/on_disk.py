"""The files of an index, beside the database."""

from __future__ import annotations

import hashlib
import math
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from orb_learning.errors import VectorIndexError
from orb_learning.filesystem import (
    ReadWriteLock,
    make_folder,
    open_private,
    open_regular,
    sync,
    write_private,
)
from orb_learning.record import DIMENSIONS
from orb_learning.search.vector_index.faiss_index import imported_faiss
from orb_learning.search.vector_index.manifest import (
    MANIFEST,
    IndexManifest,
    UnusableError,
    read_manifest,
)

_kept: dict[Path, tuple[IndexManifest, tuple[int, int], Any]] = {}
"""The index that was read last from each folder, of which file (size and time) and manifest."""
_keeping = threading.Lock()


def loaded(folder: Path) -> tuple[Any, IndexManifest]:
    """Return the index to be searched, as this process has it, or read."""
    with _keeping:
        manifest = read_manifest(folder)
        kept = _kept.get(folder)
        if kept is not None and kept[:2] == (manifest, _size_and_time(folder / manifest.file)):
            return kept[2], manifest
        _kept.pop(folder, None)  # before the other is read: both may not fit the memory
        index, manifest = load(folder)
        _kept[folder] = manifest, _size_and_time(folder / manifest.file), index
        return index, manifest


def load(folder: Path) -> tuple[Any, IndexManifest]:
    """Read the index, whole and as it was written."""
    try:
        faiss = imported_faiss()
    except VectorIndexError as error:
        raise UnusableError(str(error)) from error
    while True:
        manifest = read_manifest(folder)
        path = folder / manifest.file
        try:
            with open_regular(path) as opened:
                if hashlib.file_digest(opened, "sha256").hexdigest() != manifest.file_sha256:
                    raise UnusableError("its file is damaged")
                # What was hashed, whatever has its name by now; a pipe would be waited for.
                index = faiss.read_index(f"/proc/self/fd/{opened.fileno()}")
        except (OSError, RuntimeError) as error:
            if read_manifest(folder) != manifest:
                continue  # a builder has put another one into its place
            raise UnusableError(f"its file cannot be read: {error}") from error
        is_ours = isinstance(index, faiss.IndexIDMap) and index.d == index.index.d == DIMENSIONS
        if not is_ours or index.ntotal != manifest.vector_count:
            raise UnusableError("its file is not that of its manifest")
        return index, manifest


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def publish(folder: Path, index: Any, manifest: IndexManifest) -> None:
    """Write the index, then its manifest; who opens it meanwhile finds the one before."""
    path = folder / f"{uuid.uuid4().hex}.faiss"
    try:
        # By its descriptor: another may put a link in the place of its name.
        with os.fdopen(open_private(path, os.O_RDWR | os.O_EXCL), "rb") as opened:
            imported_faiss().write_index(index, f"/proc/self/fd/{opened.fileno()}")
            os.fsync(opened.fileno())
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        written = replace(manifest, file=path.name, file_sha256=sha256)
        unfinished = folder / f"{MANIFEST}.unfinished"
        write_private(unfinished, written.text().encode())
        sync(unfinished)
        unfinished.replace(folder / MANIFEST)
    except (OSError, RuntimeError) as error:
        path.unlink(missing_ok=True)
        raise VectorIndexError(f"{folder} cannot be written: {error}") from error
    # The one before, and what killed builders left.
    for other in folder.glob("*.faiss"):
        if other != path and not other.is_dir():
            other.unlink(missing_ok=True)


@contextmanager
def exclusive_build(folder: Path) -> Iterator[None]:
    """Wait until nobody else builds the index; a lock ends with its process."""
    try:
        make_folder(folder)
        lock = ReadWriteLock(folder / "builder", f"the index {folder}").acquire(
            shared=False, deadline=math.inf
        )
    except OSError as error:
        raise VectorIndexError(f"{folder} cannot be written: {error}") from error
    assert lock is not None, "without a limit it waits until it has the lock"
    try:
        yield
    finally:
        lock.release()
