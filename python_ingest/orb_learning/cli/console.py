"""What every command of ``orb`` has in common: where it prints, its settings and its errors."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Concatenate, ParamSpec, get_type_hints

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment

from orb_learning.errors import OrbError
from orb_learning.filesystem import lasting, printable, share_umask, without_controls
from orb_learning.locator import folder_of

if TYPE_CHECKING:
    from orb_learning.settings import LearningSettings


class PlainConsole(Console):
    """A console on which no name, header or value acts on the terminal."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Render as rich does, what is no printable character as a space."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(without_controls(text, kept="\n"), style)


out = PlainConsole()
err = PlainConsole(stderr=True)

INTERRUPTED = 130
"""The status of what Ctrl-C ended, as shells have it."""

Options = ParamSpec("Options")


def with_settings(
    command: Callable[Concatenate[LearningSettings, Options], None],
) -> Callable[Options, None]:
    """Call a command with the settings before its options, and print an OrbError of either.

    The first parameter of the command is named ``settings``; Typer sees the others.
    """

    @wraps(command)
    def run(*arguments: Options.args, **options: Options.kwargs) -> None:
        from orb_learning.settings import load_settings

        _check_texts(options)
        with reported_errors():
            settings = load_settings()
            share_umask(folder_of(settings.database_path))
            command(settings, *arguments, **options)

    named = command.__annotations__
    run.__annotations__ = {name: named[name] for name in named if name != "settings"}
    hints = get_type_hints(run, include_extras=True)
    whole = signature(command)
    parameters = [
        parameter.replace(annotation=hints[name])
        for name, parameter in whole.parameters.items()
        if name != "settings"
    ]
    run.__signature__ = whole.replace(parameters=parameters)  # type: ignore[attr-defined]
    return run


def checked_texts(command: Callable[Options, None]) -> Callable[Options, None]:
    """Refuse, before a command that needs no settings is called, what ``with_settings`` does."""

    @wraps(command)
    def run(*arguments: Options.args, **options: Options.kwargs) -> None:
        _check_texts(options)
        command(*arguments, **options)

    return run


def _check_texts(options: Mapping[str, object]) -> None:
    """Refuse a text that is no UTF-8, which neither DuckDB nor SQLite takes; paths may be so.

    Raises:
        typer.BadParameter: names it.
    """
    for name, value in options.items():
        texts = value if isinstance(value, list | tuple) else [value]
        for text in texts:
            if isinstance(text, str) and printable(text) != text:
                raise typer.BadParameter(f"{name} is not UTF-8: {printable(text)}")


@contextmanager
def reported_errors() -> Iterator[None]:
    """Print an OrbError, or an error of a file, as one message and exit with status 1.

    Ctrl-C is one line, too, and status 130, whatever the libraries below make of it.
    """
    interrupted = threading.Event()

    def interrupt(*_: object) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    if is_python := callable(before):  # whatever runs in a shell's background ignores it
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
        if interrupted.is_set():  # a server that was served ends as if nothing had been
            raise KeyboardInterrupt
    except BaseException as error:
        if interrupted.is_set() or isinstance(error, KeyboardInterrupt):
            say("interrupted; what was not committed is as it was", to=err)
            raise typer.Exit(INTERRUPTED) from None
        if isinstance(error, OSError) and error.filename is not None:
            # Of a file that the command did not expect to be so: a folder in its place, a link.
            print_error(OrbError(f"{printable(str(error.filename))}: {error.strerror}"))
        elif isinstance(error, OrbError):
            print_error(error)
        else:
            raise
        raise typer.Exit(1) from error
    finally:
        if is_python:
            signal.signal(signal.SIGINT, before)


def print_error(error: OrbError) -> None:
    """Print an error on standard error, on one line."""
    from orb_learning.filesystem import without_secrets

    say(f"[bold red]error:[/] {escape(without_secrets(str(error)))}", to=err)


def say(message: str, *, to: Console = out) -> None:
    """Print a message in rich's markup on one line, which a terminal may wrap."""
    message = " ".join(printable(message).splitlines())
    to.print(message, highlight=False, soft_wrap=True)


def tell(words: str) -> None:
    """Say on standard error what a command does meanwhile."""
    err.print(words, style="dim", highlight=False, markup=False)


def telling(words: str) -> Callable[[Callable[Options, None]], Callable[Options, None]]:
    """Let a command say what it is at, once it lasts over 2 s."""

    def decorated(command: Callable[Options, None]) -> Callable[Options, None]:
        @wraps(command)
        def told(*arguments: Options.args, **named: Options.kwargs) -> None:
            with lasting(words, tell):
                command(*arguments, **named)

        return told

    return decorated


def end_process(status: int) -> None:
    """End the process at once: what Python takes down in no order, DuckDB reports as leaks."""
    if status == INTERRUPTED:
        err.print("interrupted")
    sys.stdout.flush()
    os._exit(status)
