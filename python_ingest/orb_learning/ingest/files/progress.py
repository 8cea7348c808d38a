"""The import's progress bar."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class ImportBar:
    """A bar over one file: the bytes read, then DuckDB's own progress of the loading."""

    def __init__(self, progress: Progress, task: TaskID, total_bytes: int) -> None:
        self._progress, self._task, self._total_bytes = progress, task, max(total_bytes, 1)

    def read_bytes(self, position: int) -> None:
        """Show how far into the file the reading is, in bytes."""
        self._progress.update(self._task, completed=100 * position / self._total_bytes)

    @contextmanager
    def loading(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Show the progress of the statements that run on the connection."""
        self._progress.update(self._task, completed=0, step="loading")
        done = threading.Event()

        def poll() -> None:
            while not done.wait(0.1):
                self._progress.update(self._task, completed=max(0.0, connection.query_progress()))

        poller = threading.Thread(target=poll, daemon=True)
        poller.start()
        try:
            yield
        finally:
            done.set()
            poller.join()


@contextmanager
def progress_bar(name: str, total_bytes: int, *, show: bool) -> Iterator[ImportBar]:
    """Draw a bar on standard error, while the block runs, where that is a terminal."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.fields[name]} {task.fields[step]}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not (show and console.is_terminal),
    ) as progress:
        task = progress.add_task("", total=100, name=name, step="reading")
        yield ImportBar(progress, task, total_bytes)
