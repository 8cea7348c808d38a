"""What clients give and get is bounded: no text, no flood of feedback takes more than its share."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pytest
from ports import free_port
from serving import ORB, Site, wait_until_it_listens

from orb_learning.errors import FeedbackError
from orb_learning.figures.patterns import SolutionPattern
from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import LONGEST_TEXT, shortened
from orb_learning.mcp.feedback_outbox import MOST_A_MINUTE, FeedbackOutbox
from orb_learning.mcp.tools.submit_feedback import submit_feedback
from orb_learning.outbox.writer import Outbox, folder_size
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.connection import connect

MEGABYTE = 2**20


def outbox_of(settings: LearningSettings) -> FeedbackOutbox:
    return FeedbackOutbox(settings, Reader(settings))


def give(feedback: FeedbackOutbox, **given: Any) -> None:
    task_id = str(uuid.UUID(int=1))
    asyncio.run(submit_feedback(feedback, task_id, "good", **given))


def test_feedback_is_bounded_a_client_and_goes_into_one_segment(tmp_path: Path) -> None:
    feedback = outbox_of(load_settings(database_path=tmp_path / "learning.db"))
    for _ in range(MOST_A_MINUTE):
        give(feedback)
    with pytest.raises(FeedbackError, match="a minute"):
        give(feedback)
    feedback.take("another")
    assert len(list((tmp_path / "outbox").glob("*.sqlite"))) == 1
    feedback.close()


def test_feedback_leaves_the_outbox_room_for_executions(tmp_path: Path) -> None:
    settings = load_settings(database_path=tmp_path / "learning.db", outbox_size_limit_mb=1)
    feedback = outbox_of(settings)
    taken = 0
    while feedback.take(f"client {taken}").put("feedback", "x" * 10_000):
        taken += 1
    assert taken > 10
    with pytest.raises(FeedbackError, match="size_limit"):
        give(feedback)
    assert folder_size(settings.outbox_folder) < 0.7 * MEGABYTE
    executions = Outbox(settings.outbox_folder, size_limit_bytes=MEGABYTE)
    assert executions.put("execution", "{}")
    executions.close()
    feedback.close()


def test_texts_are_cut_before_they_are_fetched(tmp_path: Path) -> None:
    database = tmp_path / "learning.db"
    columns = dict.fromkeys(SolutionPattern.model_fields, "null")
    columns |= {
        "solution_summary": "repeat('x', 5000000)",
        "repo": "repeat('y', 2000)",
        "task_types": "[repeat('z', 5000000), 'docs']",
    }
    with connect(database) as connection:
        selected = ", ".join(f"{value} as {name}" for name, value in columns.items())
        connection.execute(f"create table patterns as select {selected}")
        snapshot = Snapshot(connection, None, LONGEST_TEXT)
        [row] = snapshot.select(SolutionPattern, "patterns")
        [whole] = Snapshot(connection).select(SolutionPattern, "patterns")
    cut = shortened("x" * 5_000_000)
    assert (row["solution_summary"], row["repo"]) == (cut, "y" * 2_000)
    assert row["task_types"] == [cut.replace("x" * 2_000, "z" * 2_000), "docs"]
    assert shortened(row["solution_summary"]) == cut  # not a second time
    assert len(whole["solution_summary"]) == 5_000_000
    sandboxed = Reader(load_settings(database_path=database), sandboxed=True)
    assert sandboxed._longest_text == LONGEST_TEXT


def test_a_client_that_leaves_costs_the_server_no_traceback(tmp_path: Path) -> None:
    """Drawn as the SDK does, each takes a tenth of a second, in which nobody is answered."""
    port = free_port()
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        "Accept: application/json, text/event-stream\r\nContent-Length: 9\r\n\r\n{"
    )
    with (tmp_path / "log").open("w+b") as log:
        process = subprocess.Popen(
            [*ORB, "mcp", "--transport", "http", "--port", str(port)],
            env=Site(tmp_path).environment(),
            stderr=log,
        )
        try:
            wait_until_it_listens(process, port)
            for _ in range(100):
                with socket.create_connection(("127.0.0.1", port)) as left:
                    left.sendall(head.encode())
            health = f"http://127.0.0.1:{port}/health"
            with urllib.request.urlopen(health, timeout=60) as response:
                assert response.status == 200
        finally:
            process.terminate()
            process.wait(30)
        log.seek(0)
        said = log.read().decode()
    assert "ClientDisconnect" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) < 200
