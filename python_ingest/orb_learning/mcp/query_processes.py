"""Each query of a client's own runs in a process that this one can end.

DuckDB cannot interrupt every function, and some SQL ends its process. So a worker
(``query_worker.py``) runs one query at a time, and its parent kills it when the time is over. The
system then closes the database for it. Workers are forks of a process that has imported all that
they need: what killed many at once costs the next query some milliseconds and not a start.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import recv_handle

from orb_learning.errors import QueryRefusedError
from orb_learning.figures import WAIT_SECONDS
from orb_learning.settings import LearningSettings

MOST_AT_ONCE = 4
MOST_OF_A_CLIENT = 2
MOST_KEPT = 2

START_SECONDS = 20.0
"""For so long the first worker may take until it listens, on a machine that is busy."""

GRACE_SECONDS = 0.5
"""For so long a worker may take to stop a query by itself, which tells the client more."""

BEGUN, RESULT, REFUSED, BROKEN = b"begun", b"result", b"refused", b"broken"
"""What a worker says: that it has the database, then what a query gave, or why it gave nothing; and
whether it can give nothing from then on."""

FORKS_WORKERS = [sys.executable, "-P", "-m", "orb_learning.mcp.query_worker"]
"""Without -P, a module in the working folder could take another's name."""

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")
"""Variables of workers; they need no secret that this process may have."""


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
        self._forks = _Forks()
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
        """End the workers that have nothing to do, and start no more."""
        while self._idle:
            self._idle.pop().end()
        self._forks.end()

    async def _run(self, sql: str) -> bytes:
        worker = self._take()
        answer = asyncio.create_task(asyncio.to_thread(worker.ask, sql))
        answer.add_done_callback(partial(self._take_back, worker))
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:  # nobody waits for it any more
            worker.kill()
            raise

    def _take_back(self, worker: _Worker, answer: asyncio.Task[bytes]) -> None:
        answer.exception()  # who asked has it, or has left
        if worker.is_alive() and len(self._idle) < MOST_KEPT:
            self._idle.append(worker)
        else:
            worker.end()

    def _take(self) -> _Worker:
        while self._idle and not self._idle[-1].is_alive():
            self._idle.pop().end()
        if self._idle:
            return self._idle.pop()
        return _Worker(self._forks, self._settings, self._idle_timeout_seconds)


class _Forks:
    """The process that workers are forks of; it is started with the first of them."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._asked, its_end = socket.socketpair()
        its_end.close()

    def fork(self) -> Connection:
        """Return the channel to a new worker."""
        channel, its_end = Pipe()
        with self._mutex, its_end:
            if self._process is None or self._process.poll() is not None:
                self._start()
            socket.send_fds(self._asked, [b"1"], [its_end.fileno()])
        return channel

    def end(self) -> None:
        """End it; workers end with their channels."""
        self._asked.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        self._asked.close()
        self._asked, its_end = socket.socketpair()
        known = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with its_end:
            self._process = subprocess.Popen(
                [*FORKS_WORKERS, str(its_end.fileno())],
                pass_fds=[its_end.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # the server's own is the protocol's
                env=known | {n: v for n, v in os.environ.items() if n.startswith("PYTHON")},
                start_new_session=True,  # Ctrl-C is for the server
            )


class _Worker:
    """A process that runs one query at a time."""

    def __init__(self, forks: _Forks, settings: LearningSettings, idle_timeout_seconds: float):
        self._limit_seconds = settings.mcp_query_seconds
        self._longest_answer = 4 * settings.mcp_answer_characters + 2**22
        self._is_killed = False
        self._process: int | None = None
        self._channel = forks.fork()
        self._channel.send_bytes(settings.model_dump_json(exclude={"backup_copy_to"}).encode())
        self._channel.send_bytes(str(idle_timeout_seconds).encode())

    def ask(self, sql: str) -> bytes:
        """Run a query; the process is ended where it does not answer in time."""
        try:
            self._know_process()
            self._channel.send_bytes(sql.encode())
            kind, answer = self._receive(START_SECONDS + WAIT_SECONDS, "waited for the database")
            if kind == BEGUN:
                kind, answer = self._receive(self._limit_seconds + GRACE_SECONDS, "ran")
        except (EOFError, OSError) as error:
            self.kill()
            raise QueryRefusedError(
                "the query ended its own process; write it more simply"
            ) from error
        if kind == RESULT:
            return answer
        if kind == BROKEN:
            self.kill()
        raise QueryRefusedError(answer.decode())

    def is_alive(self) -> bool:
        """Return whether it can be asked."""
        return not self._is_killed and not self._channel.poll()  # of one that ended there is an end

    def kill(self) -> None:
        """End it, whatever it does, and who waits for its answer."""
        self._is_killed = True
        if self._process is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def end(self) -> None:
        """End it, and give its handles up."""
        self.kill()
        self._channel.close()
        if self._process is not None:
            os.close(self._process)

    def _receive(self, seconds: float, what: str) -> tuple[bytes, bytes]:
        if not self._channel.poll(seconds):
            self.kill()
            raise QueryRefusedError(
                f"the query {what} for {self._limit_seconds:g} s and was stopped; read fewer rows"
            )
        kind, _, answer = self._channel.recv_bytes(self._longest_answer).partition(b" ")
        return kind, answer

    def _know_process(self) -> None:
        """Get the handle by which it is killed; the process sends it once it listens.

        Raises:
            EOFError: it was killed before, or ended.
        """
        if self._process is None:
            if not self._channel.poll(START_SECONDS):
                raise QueryRefusedError("no process for queries starts; ask again in a moment")
            self._process = recv_handle(self._channel)
        if self._is_killed:
            self.kill()
            raise EOFError
