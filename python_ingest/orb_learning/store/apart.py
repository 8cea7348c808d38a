"""Work on a stranger's file in a process that may use only so much time, memory and disk.

DuckDB cannot interrupt every function, and some SQL ends its process. What such a process answers
is JSON: its parent loads no code of it.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import duckdb

from orb_learning import errors
from orb_learning.errors import DatabaseError, OrbError

LONGEST_ANSWER = 64 * 2**20
"""Characters; the names in a file may be as long as it is."""
BYTES_BESIDE_DUCKDB = 2**30
"""Of the process itself, and of single values, which DuckDB's own limit leaves out."""


class Limits(NamedTuple):
    """What the process may use."""

    seconds: float
    file_bytes: int
    """Of each file that it writes."""
    memory_bytes: int | None = None
    """None: what DuckDB takes of this machine for a sealed file, and some beside."""


class StoppedError(Exception):
    """It took longer than its time."""


class EndedError(Exception):
    """The process ended without an answer: by a signal, or by a limit."""


def ask_apart(module: str, arguments: list[str], limits: Limits) -> Any:
    """Run a module whose ``main`` calls ``answer_apart``; returns what its work returned.

    Raises:
        OrbError: the work raised it.
        StoppedError: the work took longer than its time.
        EndedError: the process ended before.
    """
    command = [sys.executable, "-P", "-m", module, json.dumps(limits), *arguments]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limits.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StoppedError(f"it took longer than {limits.seconds:,.0f} s") from error
    if done.returncode:
        raise EndedError("it ended the process that did it")
    kind, said = json.loads(done.stdout)
    if kind is not None:
        raise getattr(errors, kind)(said)
    return said


def answer_apart(work: Callable[[list[str]], Any]) -> None:
    """Do the work that another process asked for, within the limits that it gave.

    What is printed is JSON: the name of the error and its message, or null and the result.
    """
    _limit_process(Limits(*json.loads(sys.argv[1])))
    kind: str | None = None
    try:
        said = work(sys.argv[2:])
    except OrbError as error:
        kind, said = type(error).__name__, str(error)
    except (duckdb.Error, OSError, MemoryError) as error:
        kind, said = DatabaseError.__name__, (str(error) or "no memory").splitlines()[0]
    answer = json.dumps([kind, said])
    if len(answer) > LONGEST_ANSWER:
        answer = json.dumps([DatabaseError.__name__, "its names are too many, or too long"])
    sys.stdout.write(answer)


def _limit_process(limits: Limits) -> None:
    memory = limits.memory_bytes or _memory_of_sealed() + BYTES_BESIDE_DUCKDB
    for kind, limit in [
        # All threads count; the parent's clock ends what waits.
        (resource.RLIMIT_CPU, math.ceil(limits.seconds * len(os.sched_getaffinity(0)))),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CORE, 0),
    ]:
        _, allowed = resource.getrlimit(kind)
        if allowed == resource.RLIM_INFINITY or limit < allowed:
            resource.setrlimit(kind, (limit, allowed))


def _memory_of_sealed() -> int:
    # Of DuckDB's default, 80 % of the machine's: a lake's DuckDB 1.5 reads no share.
    with duckdb.connect() as connection:
        [(limit,)] = connection.execute(
            "select parse_formatted_bytes(current_setting('memory_limit'))"
        ).fetchall()
    return int(limit) * 3 // 4
