"""The processes that run queries of clients, one at a time, until their parent closes the channel.

Each opens the database itself, sandboxed, and may use only so much memory and processor time, write
no file and leave no core. What it answers is JSON: whatever became of it, its parent loads no code.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import resource
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from typing import Any, NoReturn

import duckdb
from pydantic_core import to_json

from orb_learning.errors import MALFORMED, OrbError, QueryRefusedError
from orb_learning.figures import Reader, Snapshot, shortened
from orb_learning.mcp.answers import rounded
from orb_learning.mcp.query_processes import BEGUN, BROKEN, REFUSED, RESULT
from orb_learning.mcp.query_result import QueryResult
from orb_learning.mcp.result_limits import Bound, bounds_of
from orb_learning.mcp.sql_guard import check_sql, in_brackets
from orb_learning.settings import LearningSettings, load_settings

MB_BESIDE_QUERIES = 512
"""Of the process itself: Python, DuckDB and their threads."""


class _BrokenError(QueryRefusedError):
    """DuckDB refuses whatever else it is asked, because this query met an error of its own."""


def main() -> None:
    """Fork a worker for each channel that comes over the socket whose descriptor is the argument.

    This process has one thread and opens nothing, so that a fork of it can do whatever it could.
    """
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        while True:
            _, descriptors, _, _ = socket.recv_fds(asked, 1, 1)
            if not descriptors:
                break
            [descriptor] = descriptors
            if os.fork() == 0:
                asked.close()
                try:
                    _work(Connection(descriptor))
                except Exception:
                    traceback.print_exc()
                finally:
                    _end()
            os.close(descriptor)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
    _end()


def _end() -> NoReturn:
    os._exit(0)  # what Python takes down in no order, DuckDB reports as leaks


def _work(channel: Connection) -> None:
    settings = load_settings(**json.loads(channel.recv_bytes()))
    idle_timeout_seconds = float(channel.recv_bytes())
    _limit_process(settings)
    send_handle(channel, os.pidfd_open(os.getpid()), None)
    reader = Reader(settings, size=1, sandboxed=True, idle_timeout_seconds=idle_timeout_seconds)
    with asyncio.Runner() as runner, suppress(EOFError):
        while True:
            sql = channel.recv_bytes().decode()
            channel.send_bytes(runner.run(_answer(reader, sql, channel)))


async def _answer(reader: Reader, sql: str, channel: Connection) -> bytes:
    def rows(snapshot: Snapshot) -> QueryResult:
        channel.send_bytes(BEGUN)
        _limit_processor_time(reader.settings)
        return run_query(snapshot, sql, reader.settings)

    kind = REFUSED
    try:
        return RESULT + b" " + (await reader.read(rows)).model_dump_json().encode()
    except _BrokenError as error:
        kind, reason = BROKEN, str(error)
    except OrbError as error:
        reason = str(error)
    except (duckdb.OutOfMemoryException, MemoryError):
        reason = "the query needs more memory than there is for it"
    except MALFORMED as error:
        reason = f"what the query gives cannot be shown: {type(error).__name__}"
    return kind + b" " + reason.encode(errors="replace")


def run_query(snapshot: Snapshot, sql: str, settings: LearningSettings) -> QueryResult:
    """Check a query and run it, within the limits of the settings.

    Raises:
        QueryRefusedError: it may not run, or took too much.
    """
    connection = snapshot.connection
    with _time_limit(connection, settings.mcp_query_seconds):
        statement = check_sql(connection, sql)
        selected = connection.sql(statement)  # not run yet: it has the columns and their types
        columns = [shortened(name) for name in selected.columns]
        types = [shortened(str(kind)) for kind in selected.types]
        bounds = bounds_of(selected.types, settings.mcp_answer_characters)
        result = connection.execute(
            f"select {', '.join(bound.sql for bound in bounds)} "  # noqa: S608 (no names)
            f"from {in_brackets(statement)}"
        )
        rows, is_cut = _fetch(
            result, bounds, settings.mcp_query_rows, settings.mcp_answer_characters
        )
    return snapshot.result(
        QueryResult,
        window="as the SELECT says",
        columns=columns,
        types=types,
        rows=rows,
        row_count=len(rows),
        is_cut=is_cut,
    )


def _limit_process(settings: LearningSettings) -> None:
    """Let the system refuse what DuckDB's own limit does not count: a single value of gigabytes."""
    most = (2 * settings.mcp_memory_limit_mb + MB_BESIDE_QUERIES) * 2**20
    for kind, limit in [
        (resource.RLIMIT_DATA, most),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ]:
        _, allowed = resource.getrlimit(kind)
        if allowed == resource.RLIM_INFINITY or limit < allowed:
            resource.setrlimit(kind, (limit, limit))


def _limit_processor_time(settings: LearningSettings) -> None:
    """Let the system end this process in a query that nobody stops: its parent may be dead."""
    more = settings.mcp_query_seconds * (os.cpu_count() or 1)
    _, allowed = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + more) + 1, allowed))


def _fetch(
    result: duckdb.DuckDBPyConnection,
    bounds: list[Bound],
    most_rows: int,
    most_characters: int,
) -> tuple[list[list[Any]], bool]:
    rows: list[list[Any]] = []
    characters = 0
    while row := result.fetchone():
        pairs = zip(row[::2], row[1::2], strict=True)
        values = [
            bound.shown(_json_value(value), size)
            for bound, (value, size) in zip(bounds, pairs, strict=True)
        ]
        characters += len(to_json(rounded(values)).decode())
        if len(rows) == most_rows or characters > most_characters:
            return rows, True
        rows.append(values)
    return rows, False


@contextmanager
def _time_limit(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, connection.interrupt)
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise QueryRefusedError(
            f"the query ran for {seconds:g} s and was stopped; read fewer rows"
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise QueryRefusedError(
            f"the query needs more memory than there is for it: {str(error).splitlines()[0]}"
        ) from error
    except (duckdb.InternalException, duckdb.FatalException) as error:
        first_line = shortened(str(error).splitlines()[0])  # a stack trace follows
        raise _BrokenError(f"DuckDB fails at the query: {first_line}") from error
    except duckdb.Error as error:
        raise QueryRefusedError(f"DuckDB refuses the query: {shortened(str(error))}") from error
    finally:
        timer.cancel()


def _json_value(value: Any) -> Any:
    """Return a value as JSON has it; what JSON lacks is its text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_json_value(part) for part in value]
    if isinstance(value, dict):
        return {shortened(str(key)): _json_value(part) for key, part in value.items()}
    return shortened(str(value))


if __name__ == "__main__":
    main()
