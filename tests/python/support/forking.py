"""A forked child that cannot hang the tests."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS = 20


@contextmanager
def forked(work: Callable[[], object]) -> Iterator[None]:
    """Do some work in a forked child, beside what stands inside; it must end well, and in time.

    A child that waits for a lock which a thread of its parent had at the fork never ends by itself.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            # The system ends the child even where no Python code can run any more.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(SECONDS)
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    try:
        yield
    finally:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code != -signal.SIGALRM, f"the forked child did not end within {SECONDS} s"
    assert code == 0, "the forked child failed"
