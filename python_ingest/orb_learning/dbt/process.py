"""dbt as a process of its own: inside this one it would keep the database after it is done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from orb_learning.dbt.failures import in_one_message, read_events, read_results, what_ended
from orb_learning.dbt.project import find_project
from orb_learning.errors import DbtError
from orb_learning.filesystem import WAITING, get_logger, make_folder
from orb_learning.locator import DATA_VARIABLE, absolute, data_place, folder_of, is_lake
from orb_learning.settings import LearningSettings

FAILED_STATUS = 1
"""Of dbt, where a node failed and not the command itself."""
START = """
import os, signal, sys
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
sys.argv[0] = "dbt"
from dbt.cli.main import cli
cli()
"""
"""As its command starts it, but by this interpreter; ``-m dbt.cli.main`` warns of itself. Ctrl-C
ends it at once and without its tracebacks: what it did not commit is as it was."""
UNTOLD = "ignore:resource_tracker:UserWarning"
"""What Python says of dbt's semaphores then; it has cleared them away."""
SELECTS = frozenset({"--select", "-s", "--models", "--model", "-m", "--selector", "--exclude"})
"""dbt's options that leave a part of the project out."""
GRACE_SECONDS = 2.0
"""For so long dbt may take to end, before it is killed."""

log = get_logger(__name__)


def run_dbt(
    settings: LearningSettings,
    *arguments: str,
    now: datetime | None = None,
    pass_fds: Collection[int] = (),
) -> str:
    """Run a dbt command on the settings' project and database.

    Args:
        settings: name the project and the database.
        arguments: the command and its options.
        now: what the models take as the present time, naive UTC; the clock's if None.
        pass_fds: descriptors that dbt keeps open for as long as it lives.

    Returns:
        its standard output.

    Raises:
        DbtError: it failed; the message says of what.
    """
    variables = ("--vars", json.dumps({"as_of": now.isoformat()})) if now else ()
    command, environment = _prepared(
        settings, arguments, ("--quiet", "--log-format", "json"), after=variables
    )
    said = ""
    with (
        TemporaryFile("w+", encoding="utf-8", errors="replace") as output,
        _started(
            command,
            env=environment,
            stdout=output,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            pass_fds=pass_fds,
        ) as process,
    ):
        for line in process.stderr or ():
            _, mark, subject = line.strip().partition(WAITING)  # behind the name of a logger
            if mark:
                log.warning(mark + subject)
            elif line.strip():
                said = line  # the end of a traceback, or of how the command is used
        status = process.wait()
        output.seek(0)
        printed, failures = read_events(output.read())
    if status:
        raise DbtError(in_one_message(_name_of(arguments), failures or [said.strip()], log_file()))
    return printed


def _name_of(arguments: Sequence[str]) -> str:
    """Return what a command does, for an error."""
    return arguments[1] if arguments[0] == "run-operation" else "the build"


def log_file() -> Path:
    """Return where dbt writes its whole log."""
    return Path(os.environ.get("DBT_LOG_PATH", "logs")).resolve() / "dbt.log"


def show_dbt(
    settings: LearningSettings, *arguments: str, hear: Callable[[str], None] | None = None
) -> int:
    """Run a dbt command as ``run_dbt`` does, and let it print; return its exit status.

    Args:
        settings: name the project and the database.
        arguments: the command and its options.
        hear: is told each line of its log in JSON, which is then not printed; but not what ended
            it, which the error says.

    Raises:
        DbtError: dbt is not installed, there is no project, or something of it failed.
    """
    make_folder(folder_of(settings.database_path))
    options = ("--log-format", "json") if hear else ()
    command, environment = _prepared(settings, arguments, options)
    piped: dict[str, Any] = (
        {"stdout": subprocess.PIPE, "encoding": "utf-8", "errors": "replace"} if hear else {}
    )
    began = time.time()
    ended: list[str] = []
    with _started(command, env=environment, **piped) as process:
        for line in process.stdout or ():
            if hear and (end := what_ended(line)) is not None:
                ended.append(end)
            elif hear:
                hear(line)
        status = process.wait()
    results = Path(environment["DBT_TARGET_PATH"]) / "run_results.json"
    failures = read_results(results, began) if status == FAILED_STATUS else []
    if failures or ended:
        failures += ended
        is_selection = any(argument.partition("=")[0] in SELECTS for argument in arguments)
        raise DbtError(
            in_one_message(_name_of(arguments), failures, log_file(), is_selection=is_selection)
        )
    return status


@contextmanager
def _started(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start dbt, and let none go on that has the database while nobody waits for it."""
    with ExitStack() as until_started:
        until_started.enter_context(_delayed_interrupt())
        with subprocess.Popen(command, **options) as process:
            try:
                until_started.close()
                yield process
            except BaseException:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(GRACE_SECONDS)
                process.kill()
                raise


@contextmanager
def _delayed_interrupt() -> Iterator[None]:
    """Let Ctrl-C come at the end: within ``Popen`` it would leave a process that nobody knows."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: came.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came.is_set():
            signal.raise_signal(signal.SIGINT)


def _prepared(
    settings: LearningSettings,
    arguments: Sequence[str],
    options: Sequence[str] = (),
    after: Sequence[str] = (),
) -> tuple[list[str], dict[str, str]]:
    """Return the command line and the environment of a dbt command."""
    project = find_project(settings)
    if find_spec("dbt") is None or find_spec("dbt.cli") is None:
        raise DbtError("dbt is not installed here; pip install 'orb-learning[dbt]'")
    command = [
        *(sys.executable, "-c", START, *options),
        *(arguments[0], "--project-dir", str(project), "--profiles-dir", str(project)),
        *arguments[1:],
        *after,
    ]
    # dbt changes into the project's folder, so relative paths would be others there.
    environment = {**os.environ, "ORB_DATABASE": str(absolute(settings.database_path))}
    if is_lake(settings.database_path):
        environment.setdefault("ORB_LEARNING__ROUTING_PATH", str(settings.routing_file.resolve()))
    if data := data_place():
        environment[DATA_VARIABLE] = data
    # An installed project may be where nobody can write, and belongs to several folders.
    environment.setdefault("DBT_TARGET_PATH", str(Path("target").resolve()))
    told = environment.get("PYTHONWARNINGS")
    environment["PYTHONWARNINGS"] = f"{told},{UNTOLD}" if told else UNTOLD
    environment["DBT_LOG_PATH"] = str(log_file().parent)
    return command, environment
