"""Postgres far away, object storage gone: what that costs, and that nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crash_worker import payload_of
from delaying import DelayingProxy
from lakes import Lake
from ports import free_port
from test_building import S3_KEY
from test_errors import one_line

from orb_learning.ingest import load_once
from orb_learning.outbox import Outbox
from orb_learning.page.reports import read_reports
from orb_learning.store.connection import connect

ROUND_TRIP_SECONDS = 0.02
MOST_SECONDS_OF_A_LOAD, MOST_SECONDS_OF_THE_PAGE = 2.0, 3.0


@pytest.fixture
def far(lake: Lake) -> Iterator[tuple[DelayingProxy, Path]]:
    """A lake whose Postgres can be far away: the proxy, and the locator."""
    with connect(lake.locator):
        pass
    port = lake.postgres.port
    with DelayingProxy(port).running() as proxy:
        yield proxy, Path(str(lake.locator).replace(f"port={port}", f"port={proxy.port}"))


def test_a_load_asks_a_distant_postgres_seldom(lake: Lake, far: tuple[DelayingProxy, Path]) -> None:
    proxy, locator = far
    writer = Outbox(lake.folder / "outbox")
    took, asked = [], []
    for number in range(4):
        assert writer.put("execution", payload_of(f"00000000-0000-4000-8000-{number:012d}", number))
        before, began = proxy.round_trips, time.monotonic()
        load_once(locator, lake.folder / "outbox")
        took.append(time.monotonic() - began)
        asked.append(proxy.round_trips - before)
        # Opening the lake, which the first does, asks for the whole catalog.
        proxy.seconds = ROUND_TRIP_SECONDS / 2
    writer.close()
    figures = f"round trips {asked}, seconds {took}"
    assert max(asked[1:]) * ROUND_TRIP_SECONDS <= MOST_SECONDS_OF_A_LOAD / 2, figures
    assert sorted(took[1:])[1] <= MOST_SECONDS_OF_A_LOAD, figures
    assert lake.rows("select count(*) from raw.executions") == [(4,)]


@pytest.mark.soak
def test_the_page_asks_a_distant_postgres_seldom(clone: Lake) -> None:
    """It is missed: of 3,030 statements most ask for a table's files, at its every mention."""
    port = clone.postgres.port
    with DelayingProxy(port).running() as proxy:
        locator = str(clone.locator).replace(f"port={port}", f"port={proxy.port}")
        read_reports(Path(locator))
        assert proxy.round_trips * ROUND_TRIP_SECONDS <= MOST_SECONDS_OF_THE_PAGE


def test_records_are_kept_while_object_storage_is_away(
    new_lake: Callable[..., Lake], s3: str
) -> None:
    there = {**S3_KEY, "AWS_ENDPOINT_URL": f"http://{s3}"}
    lake = new_lake(data="s3://away/data", variables=there)
    with connect(lake.locator):
        pass
    writer = Outbox(lake.folder / "outbox")
    assert writer.put("execution", payload_of("00000000-0000-4000-8000-000000000001", 1))
    away = f"http://127.0.0.1:{free_port()}"
    assert "data cannot be reached" in one_line(lake, "load", AWS_ENDPOINT_URL=away)
    assert "data cannot be reached" in one_line(lake, "backup", AWS_ENDPOINT_URL=away)
    wrong = one_line(lake, "load", AWS_SECRET_ACCESS_KEY="wrong")  # noqa: S106
    assert "taken from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in wrong
    assert writer.put("execution", payload_of("00000000-0000-4000-8000-000000000002", 2))
    writer.close()
    lake.run("orb", "load")
    assert lake.rows("select count(*), count(distinct task_id) from raw.executions") == [(2, 2)]
