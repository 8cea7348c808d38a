"""Functions each of whose calls is an execution, which lasts as long as what the call began."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, aclosing, suppress
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Protocol, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


class Run(Protocol):
    """One execution: entering begins it, leaving ends it, by the exception if there is one."""

    result: Any

    def __enter__(self) -> Any:
        """Begin."""

    def __exit__(self, *details: Any) -> None:
        """End."""


RunOf = Callable[[tuple[Any, ...], dict[str, Any]], Run]
"""Returns the run of a call's arguments and options."""


def recorded(function: Function, run_of: RunOf) -> Function:
    """Return a function of the same kind, each of whose calls is a run.

    A coroutine's and a generator's run begins with its first step. What a plain function returns
    and what then goes on by itself, a coroutine, a generator or a future, is of the run, too.
    """
    for is_function, _, wrap in _KINDS:
        if is_function(function):
            return cast("Function", functools.wraps(function)(wrap(function, run_of)))
    return cast("Function", functools.wraps(function)(_plain(function, run_of)))


def _plain(function: Callable[..., Any], run_of: RunOf) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        run = run_of(arguments, options)
        with ExitStack() as stack:
            stack.enter_context(cast("AbstractContextManager[Any]", run))
            result = run.result = function(*arguments, **options)
            # By its class, as an object of the caller's may raise where an attribute is read.
            for _, going_on, wrap in _KINDS:
                if type(result) is going_on:
                    stack.pop_all()  # the run begins with the first step
                    return wrap(lambda: result, lambda *_: run)()
            if hasattr(type(result), "add_done_callback"):
                result.add_done_callback(functools.partial(_end, stack.pop_all(), run))
        return result

    return call


def _coroutine(function: Callable[..., Any], run_of: RunOf) -> Callable[..., Any]:
    async def call(*arguments: Any, **options: Any) -> Any:
        run = run_of(arguments, options)
        with run:
            run.result = await function(*arguments, **options)
        return run.result

    return call


def _generator(function: Callable[..., Any], run_of: RunOf) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        run = run_of(arguments, options)
        with run:
            run.result = yield from function(*arguments, **options)
        return run.result

    return call


def _async_generator(function: Callable[..., Any], run_of: RunOf) -> Callable[..., Any]:
    async def call(*arguments: Any, **options: Any) -> Any:
        with run_of(arguments, options):
            async with aclosing(function(*arguments, **options)) as steps:
                step = steps.asend(None)
                while True:
                    try:
                        item = await step
                    except StopAsyncIteration:
                        return
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        step = steps.athrow(error)
                    else:
                        step = steps.asend(sent)

    return call


def _end(stack: ExitStack, run: Run, future: Any) -> None:
    """End the run of a future that is done; whoever awaits it gets what it raised."""
    with suppress(BaseException), stack:
        run.result = future.result()


_KINDS = (
    (inspect.iscoroutinefunction, CoroutineType, _coroutine),
    (inspect.isgeneratorfunction, GeneratorType, _generator),
    (inspect.isasyncgenfunction, AsyncGeneratorType, _async_generator),
)
"""Of what is no plain function: how it is known, what it returns, and what wraps it."""
