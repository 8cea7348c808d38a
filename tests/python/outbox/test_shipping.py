"""Shipped segments arrive whole, each record once, whatever is killed on the way."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
import uuid
from pathlib import Path

import fsspec
import pytest
from crash_worker import payload_of

from orb_learning.backup import make_backup
from orb_learning.cli.app import PANEL_OF
from orb_learning.errors import OutboxError
from orb_learning.operations import load_shipped
from orb_learning.outbox import Outbox, files_of, ship
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.connection import connect

SEED = int(os.environ.get("ORB_SEED", str(time.time_ns() % 2**32)))
HOSTS, KILLS = int(os.environ.get("ORB_OUTBOXES", "8")), 2


@pytest.fixture
def settings(tmp_path: Path) -> LearningSettings:
    return load_settings(database_path=tmp_path / "here/learning.db")


def put(outbox: Path, *numbers: int) -> Outbox:
    writer = Outbox(outbox)
    for number in numbers:
        assert writer.put("execution", payload_of(f"00000000-0000-4000-8000-{number:012d}", number))
    return writer


def counts(settings: LearningSettings) -> list[tuple[int, int]]:
    with connect(settings.database_path, read_only=True) as connection:
        rows: list[tuple[int, int]] = connection.execute(
            "select count(*), count(distinct task_id) from raw.executions"
        ).fetchall()
        return rows


def test_a_segment_in_use_is_shipped_as_it_grows_and_loaded_once(
    settings: LearningSettings, tmp_path: Path
) -> None:
    outbox, place = tmp_path / "there/outbox", str(tmp_path / "place")
    writer = put(outbox, 1, 2)
    assert (ship(outbox, place, wait_seconds=1).copied, len(files_of(outbox))) == (1, 1)
    assert ship(outbox, place, wait_seconds=1).copied == 0
    assert load_shipped(settings, place, wait_seconds=1).counts["execution"] == 2
    assert writer.put("execution", payload_of("00000000-0000-4000-8000-000000000003", 3))
    writer.close()
    shipped = ship(outbox, place, wait_seconds=1)
    assert (shipped.copied, shipped.removed, files_of(outbox)) == (1, 1, [])
    assert load_shipped(settings, place, wait_seconds=1).counts["execution"] == 1
    assert load_shipped(settings, place, wait_seconds=1).counts["execution"] == 0
    assert counts(settings) == [(3, 3)]
    # Once a backup holds them, they are nowhere else any more.
    assert len(list(Path(place).iterdir())) == 1
    make_backup(settings)
    load_shipped(settings, place, wait_seconds=1)
    assert list(Path(place).iterdir()) == []


def test_a_copy_that_was_cut_short_is_left_and_shipped_again(
    settings: LearningSettings, tmp_path: Path
) -> None:
    outbox, place = tmp_path / "there/outbox", tmp_path / "place"
    writer = put(outbox, 1, 2)
    ship(outbox, str(place), wait_seconds=1)
    [copy] = place.iterdir()
    copy.write_bytes(copy.read_bytes()[:-100])
    (place / "note.txt").write_text("of another")
    assert load_shipped(settings, str(place), wait_seconds=1).damaged == []
    assert counts(settings) == [(0, 0)]
    writer.close()
    assert ship(outbox, str(place), wait_seconds=1).copied == 1
    load_shipped(settings, str(place), wait_seconds=1)
    assert counts(settings) == [(2, 2)]


@pytest.mark.parametrize("stem", ["x" * 300, "\x1b[2J", "\0"])
def test_a_copy_of_a_name_that_no_segment_has_holds_no_host_up(
    settings: LearningSettings, tmp_path: Path, stem: str
) -> None:
    """Object storage takes names that no folder does."""
    outbox, place = tmp_path / "there/outbox", f"memory://{uuid.uuid4()}"
    put(outbox, 1).close()
    ship(outbox, place, wait_seconds=1)
    files, root = fsspec.core.url_to_fs(place)
    sha256 = hashlib.sha256(b"of another").hexdigest()
    files.pipe_file(f"{root}/{stem}~{1:012d}~{sha256}.sqlite", b"of another")
    loaded = load_shipped(settings, place, wait_seconds=1)
    assert (loaded.counts["execution"], loaded.damaged) == (1, [])


def test_a_place_that_cannot_be_reached_is_one_line_and_the_outbox_stays(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    put(outbox, 1).close()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxError, match=r"not all of .* was shipped to"):
        ship(outbox, str(tmp_path / "file/place"), wait_seconds=1)
    assert len(files_of(outbox)) == 1


@pytest.mark.slow
def test_each_record_arrives_once_whatever_is_killed(
    settings: LearningSettings, tmp_path: Path
) -> None:
    assert {"ship", "load"} <= set(PANEL_OF)
    choices = random.Random(SEED)  # noqa: S311
    place = tmp_path / "place"
    for host in range(HOSTS):
        put(tmp_path / f"host{host}/outbox", *range(host * 100, host * 100 + 100)).close()

    def run(*words: str, kill: bool, **variables: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "orb_learning", *words],
            env={**os.environ, **variables, "ORB_DATABASE": str(settings.database_path)},
            stdout=subprocess.DEVNULL,
        )
        if kill:
            time.sleep(choices.uniform(0.2, 1.5))  # from its start to over its work
            process.kill()
        assert process.wait() == 0 or kill, f"ORB_SEED={SEED}"

    for host in range(HOSTS):
        for kill in [True] * KILLS + [False]:
            outbox = str(tmp_path / f"host{host}/outbox")
            run("ship", str(place / str(host)), kill=kill, ORB_OUTBOX=outbox)
        run("load", "--from", str(place), kill=True)
    run("load", "--from", str(place), kill=False)
    assert counts(settings) == [(HOSTS * 100, HOSTS * 100)], f"ORB_SEED={SEED}"
    assert [list((tmp_path / f"host{host}/outbox").glob("*.sqlite")) for host in range(HOSTS)] == [
        []
    ] * HOSTS
