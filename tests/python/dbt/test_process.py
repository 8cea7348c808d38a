"""No dbt goes on that nobody waits for."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from orb_learning.dbt import process

LONG = [sys.executable, "-c", "import time; time.sleep(60)"]
"""In dbt's place: it goes on until it is ended, which is what the tests look for."""


@pytest.fixture
def python_interrupts() -> Iterator[None]:
    """Ctrl-C raises, though whoever started the tests may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("python_interrupts")
def test_an_interrupt_while_dbt_is_started_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[str]] = []

    class Interrupted(subprocess.Popen[str]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            begun.append(self)
            signal.raise_signal(signal.SIGINT)  # before who starts it has it

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    try:
        with pytest.raises(KeyboardInterrupt), process._started(LONG):
            pytest.fail("the interrupt was lost")
        assert begun[0].poll() is not None
    finally:
        begun[0].kill()
        begun[0].wait()
