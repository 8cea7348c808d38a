"""Each query of a client's own runs in a process that this one can end.

DuckDB cannot interrupt every function, and some SQL ends its process. So a worker
(``query_worker.py``) runs one query at a time, and its parent kills it when the time is over. The
system then closes the database for it. Two workers are kept, since starting one takes a second.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Pipe

from orb_learning.errors import QueryRefusedError
from orb_learning.figures import WAIT_SECONDS
from orb_learning.settings import LearningSettings

MOST_AT_ONCE = 4
MOST_OF_A_CLIENT = 2
MOST_KEPT = 2

START_SECONDS = 20.0
"""For so long a new worker may take until it listens, on a machine that is busy."""

GRACE_SECONDS = 0.5
"""For so long a worker may take to stop a query by itself, which tells the client more."""

BEGUN, RESULT, REFUSED, BROKEN = b"begun", b"result", b"refused", b"broken"
"""What a worker says: that it has the database, then what a query gave, or why it gave nothing; and
whether it can give nothing from then on."""

WORKER = [sys.executable, "-P", "-m", "orb_learning.mcp.query_worker"]
"""Without -P, a module in the working folder could take another's name."""

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")
"""Variables of a worker; it needs no secret that this process may have."""


class QueryProcesses:
    """Runs queries in workers; some at once, and of each client fewer.

    Args:
        settings: where the database is, and the limits.
        idle_timeout_seconds: for how long a worker keeps the database open for the next query; a
            writer that waits gets it at once.
    """

    def __init__(self, settings: LearningSettings, *, idle_timeout_seconds: float):
        self._settings = settings
        self._idle_timeout_seconds = idle_timeout_seconds
        self._idle: list[_Worker] = []
        self._all = asyncio.Semaphore(MOST_AT_ONCE)
        self._of_client: dict[str, asyncio.Semaphore] = {}

    async def run(self, sql: str, *, client: str = "") -> bytes:
        """Return what a query gives, as the JSON of a ``QueryResult``.

        Args:
            sql: the query, from outside.
            client: whose it is.

        Raises:
            QueryRefusedError: it may not run, took too much, or ended its process.
        """
        own = self._of_client.setdefault(client, asyncio.Semaphore(MOST_OF_A_CLIENT))
        wait_seconds = self._settings.mcp_query_seconds + WAIT_SECONDS
        try:
            await asyncio.wait_for(own.acquire(), wait_seconds)
        except TimeoutError as error:
            raise QueryRefusedError(
                f"{MOST_OF_A_CLIENT} queries of yours still run; ask again when they are done"
            ) from error
        try:
            async with self._all:
                return await self._run(sql)
        finally:
            own.release()

    def close(self) -> None:
        """End the workers that have nothing to do."""
        while self._idle:
            self._idle.pop().end()

    async def _run(self, sql: str) -> bytes:
        worker = self._take()
        answer = asyncio.create_task(asyncio.to_thread(worker.ask, sql))
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:  # nobody waits for it any more
            worker.kill()
            raise
        finally:
            if worker.is_alive() and answer.done() and len(self._idle) < MOST_KEPT:
                self._idle.append(worker)
            else:
                worker.end()

    def _take(self) -> _Worker:
        while self._idle and not self._idle[-1].is_alive():
            self._idle.pop().end()
        worker = self._idle.pop() if self._idle else self._start()
        if not self._idle:  # the next one need not wait for a start, whatever becomes of this one
            self._idle.append(self._start())
        return worker

    def _start(self) -> _Worker:
        return _Worker(self._settings, self._idle_timeout_seconds)


class _Worker:
    """A process that runs one query at a time."""

    def __init__(self, settings: LearningSettings, idle_timeout_seconds: float):
        self._limit_seconds = settings.mcp_query_seconds
        self._longest_answer = 4 * settings.mcp_answer_characters + 2**22
        self._is_killed = False
        self._channel, its_end = Pipe()
        known = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self._process = subprocess.Popen(
            [*WORKER, str(its_end.fileno()), str(idle_timeout_seconds)],
            pass_fds=[its_end.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server's own is the protocol's
            env=known | {n: v for n, v in os.environ.items() if n.startswith("PYTHON")},
            start_new_session=True,  # Ctrl-C is for the server
        )
        its_end.close()
        self._channel.send_bytes(settings.model_dump_json(exclude={"backup_copy_to"}).encode())

    def ask(self, sql: str) -> bytes:
        """Run a query; the process is ended where it does not answer in time."""
        try:
            self._channel.send_bytes(sql.encode())
            kind, answer = self._receive(START_SECONDS + WAIT_SECONDS, "waited for the database")
            if kind == BEGUN:
                kind, answer = self._receive(self._limit_seconds + GRACE_SECONDS, "ran")
        except (EOFError, OSError) as error:
            raise QueryRefusedError(
                f"the query ended its own process ({self._end_reason()}); write it more simply"
            ) from error
        if kind == RESULT:
            return answer
        if kind == BROKEN:
            self.kill()
        raise QueryRefusedError(answer.decode())

    def is_alive(self) -> bool:
        """Return whether it can be asked."""
        return not self._is_killed and self._process.poll() is None

    def kill(self) -> None:
        """End it, whatever it does."""
        self._is_killed = True
        self._process.kill()

    def end(self) -> None:
        """End it, and give its handles up."""
        self.kill()
        self._channel.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)

    def _receive(self, seconds: float, what: str) -> tuple[bytes, bytes]:
        if not self._channel.poll(seconds):
            self.kill()
            raise QueryRefusedError(
                f"the query {what} for {self._limit_seconds:g} s and was stopped; read fewer rows"
            )
        kind, _, answer = self._channel.recv_bytes(self._longest_answer).partition(b" ")
        return kind, answer

    def _end_reason(self) -> str:
        self.kill()
        status = self._process.wait()
        return signal.Signals(-status).name if status < 0 else f"status {status}"
