"""What servers share: which addresses are this machine's own, and limits of the process."""

from __future__ import annotations

import ipaddress
import resource
import socket
from collections.abc import Callable
from typing import Any

from orb_learning.errors import OrbError

LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

MB_BESIDE_QUERIES = 1_024
"""Of the process itself: Python, its threads and the model's weights take up to half of it."""


def run_server(
    app: Any,
    *,
    host: str,
    port: int,
    refused: type[OrbError],
    ready: Callable[[], None],
    query_mb: int | None = None,
    **options: Any,
) -> None:
    """Serve an ASGI application until interrupted.

    Args:
        app: the application.
        host: the address to listen at.
        port: the port.
        refused: the error where it cannot be listened at.
        ready: is called once it listens. From then on Ctrl-C ends it without a word of its own;
            before, Python would warn of what it was about to begin.
        query_mb: megabytes of a query, by which the process is limited; None for no limit.
        options: of ``uvicorn.Config``.

    Raises:
        OrbError: of the kind ``refused``; the address is in use, or is none of this machine.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

    _check_free(host, port, refused)
    if query_mb is not None:
        limit_memory(query_mb)
    Server(uvicorn.Config(app, host=host, port=port, log_level="warning", **options)).run()


def _check_free(host: str, port: int, refused: type[OrbError]) -> None:
    """Refuse an address that cannot be listened at, in place of a line of the server's log.

    Raises:
        OrbError: of the kind ``refused``; the address is in use, or is none of this machine.
    """
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
            tried.bind(address)
    except OSError as error:
        raise refused(
            f"{host}:{port} cannot be listened at: {error.strerror or error}; name another --port"
        ) from error


def limit_memory(query_mb: int) -> None:
    """Let the system refuse what DuckDB's own limit does not count: a single value of gigabytes.

    DuckDB reports the refusal like a limit of its own, and goes on.
    """
    most = (2 * query_mb + MB_BESIDE_QUERIES) * 2**20
    _, allowed = resource.getrlimit(resource.RLIMIT_DATA)
    if allowed == resource.RLIM_INFINITY or most < allowed:
        resource.setrlimit(resource.RLIMIT_DATA, (most, allowed))


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
