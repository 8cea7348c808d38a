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

from orb_learning.search.vector_index import index_folder, update_index

write_index = faiss.write_index


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


def main(database: Path, model: str, step: str) -> None:
    match step:
        case "write_index":
            faiss.write_index = half_written
        case "fsync":
            os.fsync = die
        case "write_text":
            Path.write_text = dies_after(Path.write_text)  # type: ignore[method-assign]
        case "replace":
            Path.replace = die  # type: ignore[method-assign]
        case "after replace":
            Path.replace = dies_after(Path.replace)  # type: ignore[method-assign]
        case "unlink":
            Path.unlink = dies_after(Path.unlink)  # type: ignore[method-assign]
    with duckdb.connect(database, read_only=True) as connection:
        print("building", flush=True)  # noqa: T201
        update_index(connection, index_folder(database), model)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
