"""``execution(task)``: what happens inside a block or a function is recorded as one execution."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self

from orb_learning.capture.calls import Function, recorded


class Store(Protocol):
    """Records how a run ended."""

    def __call__(
        self,
        pool: Any,
        task: Any,
        result: Any,
        start: datetime,
        end: datetime,
        *,
        error: BaseException | None,
    ) -> bool:
        """Record it; whether it was kept."""
        ...


class ExecutionRun:
    """One execution while it runs: a context manager, asynchronous or not, and a decorator.

    What the block raises is recorded and goes on its way: an exception, a timeout, a cancellation.
    A block that ends by itself has succeeded, unless ``result`` says otherwise.

    Args:
        store: records how it ended.
        now: the clock.
        task: what was asked for. As a decorator it may be a function of the call's arguments.
        pool: the pool's id.
    """

    def __init__(self, store: Store, now: Callable[[], datetime], task: Any, pool: Any):
        self.task = task
        self.result: Any = None
        """What came of it; set it inside the block."""
        self.kept: bool | None = None
        """Whether it was recorded; None while it runs."""
        self._store = store
        self._now = now
        self._pool = pool
        self._start: datetime | None = None

    def __enter__(self) -> Self:
        self.result = self.kept = None  # of an earlier block
        self._start = self._now()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        start = self._start or self._now()
        self.kept = self._store(self._pool, self.task, self.result, start, self._now(), error=error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: Function) -> Function:
        """Return a function each of whose calls is an execution; what it returns is the result."""
        return recorded(function, self._of_call)

    def _of_call(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> ExecutionRun:
        task = self.task
        if callable(task):
            try:
                task = task(*arguments, **options)
            except Exception as error:
                task = Untold(error)
        return ExecutionRun(self._store, self._now, task, self._pool)


class Untold:
    """Stands for a task whose function raised: each name of it does, so the record is refused."""

    def __init__(self, error: Exception):
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error
