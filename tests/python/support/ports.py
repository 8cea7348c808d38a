"""Ports of this machine."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

BELOW_THOSE_OF_CLIENTS = range(10_240, 32_768)
"""Linux gives a connection's own end a port from 32,768 on, and may give it the one that we found.

Whoever polls a port up there until a server listens may even connect to itself, and take it.
"""


def free_port() -> int:
    """Return a port on loopback that nobody has at this moment, and that no connection gets."""
    while True:
        port = random.choice(BELOW_THOSE_OF_CLIENTS)  # noqa: S311
        with suppress(OSError), socket.socket() as found:
            found.bind(("127.0.0.1", port))
            return port
