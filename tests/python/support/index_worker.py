"""A builder of the index of vectors that kills itself: `index_worker.py <db> <model> <step>`.

The step is what it does when it dies; `-` lets it work until somebody else kills it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import faiss

from orb_learning.search.vector_index import index_folder, on_disk, update_index

write_index = faiss.write_index
unlink = Path.unlink


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dies_after(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> None:
        function(*arguments, **named)
        die()

    return call


def half_written(index: Any, path: str) -> None:
    write_index(index, path)
    os.truncate(path, 1000)
    die()


def dies_after_an_index(path: Path, missing_ok: bool = False) -> None:
    unlink(path, missing_ok)
    if path.suffix == ".faiss":
        die()


def main(database: Path, model: str, step: str) -> None:
    match step:
        case "write_index":
            faiss.write_index = half_written
        case "fsync":
            os.fsync = die
        case "write_text":
            on_disk.write_private = dies_after(on_disk.write_private)
        case "replace":
            Path.replace = die  # type: ignore[method-assign]
        case "after replace":
            Path.replace = dies_after(Path.replace)  # type: ignore[method-assign]
        case "unlink":
            Path.unlink = dies_after_an_index  # type: ignore[method-assign]
    with duckdb.connect(database, read_only=True) as connection:
        print("building", flush=True)  # noqa: T201
        update_index(connection, index_folder(database), model)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
