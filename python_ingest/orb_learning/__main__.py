"""``python -m orb_learning`` is the command ``orb``."""

from __future__ import annotations

import atexit
import errno
import os
import signal

INTERRUPTED_STATUS = 130
"""Of what Ctrl-C ended, as shells have it."""


def main() -> None:
    """Run the command; Ctrl-C is one line before its work begins and after it ended, too."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # all is done by then
        signal.signal(signal.SIGINT, _end)
    from orb_learning.cli import app

    try:
        app(prog_name="orb")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        os.write(2, b"error: the disk is full; free some space and run it again\n")
        os._exit(1)  # without another try to write the rest


def _end(*_: object) -> None:
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED_STATUS)


if __name__ == "__main__":
    main()
