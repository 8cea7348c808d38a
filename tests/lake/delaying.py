"""A proxy on loopback that passes on what it gets a while later, and counts what is asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class DelayingProxy:
    """Forwards connections to a port of this machine.

    Args:
        to: the port.
    """

    def __init__(self, to: int):
        self.port = 0
        self.seconds = 0.0
        """How much later, each way."""
        self.round_trips = 0
        """Requests that were passed on: what came in one piece from the client."""
        self._to = to
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._to)
        with suppress(asyncio.CancelledError):
            await asyncio.gather(
                self._pass_on(reader, forth, counts=True), self._pass_on(back, writer, counts=False)
            )

    async def _pass_on(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, counts: bool
    ) -> None:
        def write(data: bytes) -> None:
            target.write(data) if data else target.close()

        data = b"-"
        while data:
            try:
                data = await source.read(65_536)
            except ConnectionError:
                data = b""
            self.round_trips += counts and bool(data)
            self._loop.call_later(self.seconds, write, data)

    @contextmanager
    def running(self) -> Iterator[DelayingProxy]:
        """Let it run."""
        self._thread.start()
        self._ready.wait()
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
