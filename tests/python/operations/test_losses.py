"""What a restore cannot bring back is counted."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from restore_cases import EVERYTHING_IS_PRUNED, Place

from orb_learning.outbox.reader import files_of


def test_missing_records_are_counted_with_their_time(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = 1_700_000_000.0
    monkeypatch.setattr(time, "time", lambda: begin)
    place.put(1)
    place.load()
    backup = place.back_up()
    monkeypatch.setattr(time, "time", lambda: begin + 60)
    place.put(2, 3)
    place.load()
    monkeypatch.setattr(time, "time", lambda: begin + 120)
    place.put(4)
    place.load(limits=EVERYTHING_IS_PRUNED)
    monkeypatch.setattr(time, "time", lambda: begin + 180)
    place.put(5)
    done = place.restore(backup)
    assert place.numbers() == [1, 5]
    missing = done.missing
    assert missing is not None
    assert missing.count == 3
    first = datetime(2023, 11, 14, 22, 13, 20)  # noqa: DTZ001 (begin)
    assert missing.first_put_at == first + timedelta(minutes=1)
    assert missing.last_put_at == first + timedelta(minutes=2)


def test_the_present_database_tells_what_no_prune_log_has(place: Place) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    place.put(2, 3)
    place.load()
    for file in files_of(place.outbox_folder):
        file.unlink()
    missing = place.restore(backup).missing
    assert missing is not None
    assert (missing.count, missing.first_put_at) == (2, None)


def test_a_newer_backup_has_the_records_that_an_older_one_lacks(
    place: Place,
) -> None:
    place.put(1)
    place.load()
    older = place.back_up()
    place.put(2)
    place.load()
    newer = place.back_up()
    place.put(3)
    place.load()
    assert len(files_of(place.outbox_folder)) == 1
    missing = place.restore(older).missing
    assert missing is not None
    assert missing.count == 1
    assert place.numbers() == [1, 3]
    assert place.restore(newer).missing is None
    assert place.numbers() == [1, 2, 3]
