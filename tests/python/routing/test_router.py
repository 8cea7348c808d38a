"""The router draws by what was published, and by the baseline whatever else it finds."""

from __future__ import annotations

import csv
import json
import logging
import os
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from building import REPOSITORY
from forking import forked

from orb_learning import Outbox, Router, TelemetryCapture
from orb_learning.errors import SettingsError
from orb_learning.routing.published import MOST_BYTES, identity
from orb_learning.routing.router import PLANS

BUILT = datetime(2026, 4, 1, 12, tzinfo=UTC)
CELL = {"repo": "api", "task_type": "fix", "complexity_score": 33}


def unit(level: str, chances: dict[str, float], **named: str) -> dict[str, Any]:
    plans = [{"plan": plan, "policy": plan, "propensity": p} for plan, p in chances.items()]
    empty = {"repo": None, "task_type": None, "complexity_band": None}
    return {"level": level, **empty, **named, "plans": plans}


PUBLISHED: dict[str, Any] = {
    "version": 1,
    "built_at": "2026-04-01T12:00:00Z",
    "baseline": "large",
    "exploration": 0.05,
    "medium_from": 34,
    "high_from": 67,
    "units": [
        unit(
            "cell",
            {"large": 0.25, "small>medium>large": 0.75},
            repo="api",
            task_type="fix",
            complexity_band="low",
        ),
        unit("repository", {"large": 0.5, "small": 0.5}, repo="api"),
        unit("everything", {"large": 0.9, "medium": 0.1}),
    ],
}


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = BUILT

    def __call__(self) -> datetime:
        return self.time

    def wait(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "routing.json"
    file.write_text(json.dumps(PUBLISHED))
    return file


def router_of(file: Path, clock: Clock, **given: Any) -> Router:
    return Router(file.parent / "learning.db", now=clock, **({"seed": 1} | given))


@pytest.mark.parametrize(
    ("task", "policy", "plans"),
    [
        (CELL, "router_cell", {"large", "small>medium>large"}),
        (SimpleNamespace(**CELL), "router_cell", {"large", "small>medium>large"}),
        ({"repo": " api", "type": "fix", "complexity_score": "7"}, "router_cell", None),
        (CELL | {"complexity_score": 34}, "router_repository", {"large", "small"}),
        (CELL | {"complexity_score": None}, "router_repository", None),
        (CELL | {"complexity_score": "hard"}, "router_repository", None),
        ({"repo": "web"}, "router_everything", {"large", "medium"}),
        ({"repo": ["no", "text"]}, "router_everything", None),
        (None, "router_everything", None),
    ],
)
def test_a_task_is_drawn_by_its_cell_else_repository_else_everything(
    file: Path, clock: Clock, task: Any, policy: str, plans: set[str] | None
) -> None:
    decision = router_of(file, clock).draw(task)
    assert decision["policy"] == policy
    if plans:
        assert {candidate["plan"] for candidate in decision["candidates"]} == plans


def test_plans_are_drawn_as_often_as_their_chances_say(file: Path, clock: Clock) -> None:
    router = router_of(file, clock)
    drawn = [router.draw(CELL) for _ in range(4_000)]
    share = Counter(decision["plan"] for decision in drawn)["large"] / len(drawn)
    assert share == pytest.approx(0.25, abs=0.03)
    for decision in drawn[:50]:
        chances = {one["plan"]: one["propensity"] for one in decision["candidates"]}
        assert chances == router.propensities("api", "fix", 33)
        assert decision["propensity"] == chances[decision["plan"]]
        assert decision["model_tier"] == decision["plan"].split(">")[0]


def test_the_same_seed_draws_the_same_and_no_seed_does_not(file: Path, clock: Clock) -> None:
    def plans(**given: Any) -> list[str]:
        router = router_of(file, clock, **given)
        return [router.draw(CELL)["plan"] for _ in range(100)]

    assert plans() == plans()
    assert plans() != plans(seed=2)
    assert plans(seed=None) != plans(seed=None)


def test_next_tiers_follow_failures_until_the_plan_ends(file: Path, clock: Clock) -> None:
    router = router_of(file, clock)
    decision: dict[str, Any] = {"plan": "small>medium>large", "attempt": 1}
    assert router.next(decision, {"status": "failed"}) == "medium"
    assert router.next(decision, {"status": "completed"}) is None
    assert router.next(decision, {"error": "it broke"}) == "medium"
    assert router.next(decision, TimeoutError()) == "medium"
    assert router.next(decision, SimpleNamespace(success=False)) == "medium"
    assert router.next(decision, {}) is None  # whether it failed is not known
    assert router.next(decision | {"attempt": 2}, {"success": False}) == "large"
    assert router.next(decision | {"attempt": 3}, {"success": False}) is None
    assert router.next({"plan": "large"}, {"success": False}) is None


def test_capturing_takes_a_decision_as_it_is(file: Path, clock: Clock) -> None:
    capture = TelemetryCapture(Outbox(file.parent / "outbox"), strict=True)
    for router in (router_of(file, clock), router_of(file, clock, mode="shadow")):
        decision = router.draw(CELL)
        assert capture.capture_routing_decision("first", CELL, decision)
        later = decision | {"model_tier": "large", "attempt": 2, "first_task_id": "first"}
        assert capture.capture_routing_decision("second", CELL, later)
    assert capture.counts() == {"kept": 4}


def test_a_decision_belongs_to_its_caller(file: Path, clock: Clock) -> None:
    router = router_of(file, clock)
    for candidate in router.draw(CELL)["candidates"]:
        candidate["propensity"] = 7
    router.propensities("api", "fix", 33).clear()
    assert sum(router.propensities("api", "fix", 33).values()) == 1
    assert sum(one["propensity"] for one in router.draw(CELL)["candidates"]) == 1


def test_shadow_draws_the_baseline_and_records_what_would_have_been(
    file: Path, clock: Clock
) -> None:
    shadow, drawing = router_of(file, clock, mode="shadow"), router_of(file, clock)
    for _ in range(20):
        decision, would = shadow.draw(CELL), drawing.draw(CELL)
        assert (decision["plan"], decision["model_tier"]) == ("large", "large")
        assert decision["candidates"] == [{"plan": "large", "propensity": 1.0}]
        assert decision["metadata"]["shadow"] == {
            name: would[name] for name in ("plan", "propensity", "policy")
        }


def test_before_anything_is_published_the_baseline_is_explored_around(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    router = router_of(
        tmp_path / "routing.json", clock, plans=["small", "small>large"], exploration=0.3
    )
    for _ in range(3):
        assert router.draw(CELL)["policy"] == "router_start"
        clock.wait(seconds=2)
    assert router.propensities("api", None, None) == pytest.approx(
        {"small": 0.1, "small>large": 0.1, "large": 0.8}
    )
    assert len(caplog.records) == 1
    assert "large is drawn at a chance of 0.8" in caplog.text
    certain = router_of(tmp_path / "routing.json", clock, exploration=0)
    assert certain.propensities(None, None, None) == {"large": 1.0}


def test_only_plans_that_can_be_run_are_drawn(file: Path, clock: Clock) -> None:
    router = router_of(file, clock, baseline="medium", plans=["small>medium>large", "small"])
    assert router.propensities("api", "fix", 33) == {"small>medium>large": 1.0}
    assert router.propensities("api", "other", 33) == {"small": 1.0}
    assert router.propensities("web", None, None) == {"medium": 1.0}
    none = router_of(file, clock, baseline="huge", plans=["small"])
    assert none.draw({"repo": "web"})["policy"] == "router_start"


def test_units_that_are_not_published_are_explored(file: Path, clock: Clock) -> None:
    file.write_text(json.dumps(PUBLISHED | {"units": []}))
    assert router_of(file, clock).draw(CELL)["policy"] == "router_start"


def test_what_is_published_counts_a_second_later(file: Path, clock: Clock) -> None:
    router = router_of(file, clock)
    assert router.draw(CELL)["policy"] == "router_cell"
    publish(file, PUBLISHED | {"units": PUBLISHED["units"][1:]})
    clock.wait(seconds=0.9)
    assert router.draw(CELL)["policy"] == "router_cell"
    clock.wait(seconds=0.1)
    assert router.draw(CELL)["policy"] == "router_repository"
    publish(file, PUBLISHED)
    clock.wait(hours=-1)  # a clock that is set back must not keep the router from looking
    assert router.draw(CELL)["policy"] == "router_cell"


def publish(file: Path, content: Any) -> None:
    new = file.with_suffix(".new")
    new.write_text(json.dumps(content))
    new.rename(file)


def test_what_is_too_old_draws_the_baseline_and_says_so_once(
    file: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    router = router_of(file, clock)
    clock.wait(hours=48)
    assert router.draw(CELL)["policy"] == "router_cell"
    for _ in range(3):
        clock.wait(seconds=1)
        assert router.draw(CELL)["candidates"] == [{"plan": "large", "propensity": 1.0}]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "routing_max_age_hours" in caplog.text
    publish(file, PUBLISHED | {"built_at": "2026-04-03T12:00:00Z"})
    clock.wait(seconds=1)
    assert router.draw(CELL)["policy"] == "router_cell"
    assert router_of(file, clock, routing_max_age_hours=1).draw(CELL)["plan"] == "large"


def broken(**changed: Any) -> bytes:
    return json.dumps(PUBLISHED | changed).encode()


def of_plans(*plans: Any) -> bytes:
    return broken(units=[unit("everything", {}) | {"plans": list(plans)}])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 1_000_000, "too deeply"),
        (b"9" * 100_000, "no JSON"),
        (b"[]", "version"),
        (b"null", "version"),
        (broken(version=2), "version = 2"),
        (broken(built_at=None), "built_at"),
        (broken(built_at="soon"), "built_at"),
        (broken(medium_from="34"), "medium_from"),
        (broken(high_from=float("nan")), "high_from"),
        (broken(high_from=10**400), "high_from"),
        (broken(built_at="9999-12-31T23:59:59-23:59"), "9999-12-31 23:59 UTC"),
        (broken(units=None), "units"),
        (broken(units=[7]), "units[0].level"),
        (broken(units=[unit("planet", {"large": 1.0})]), "units[0].level"),
        (broken(units=[unit("repository", {"large": 1.0})]), "units[0].repo"),
        (of_plans(), "there is no plan"),
        (of_plans("large"), "a plan of its own"),
        (of_plans({"plan": ["large"], "propensity": 1}), "a plan of its own"),
        (of_plans({"plan": "large"}), "no propensity"),
        (of_plans({"plan": "large", "propensity": "1"}), "no propensity"),
        (of_plans({"plan": "large", "propensity": float("nan")}), "no propensity"),
        (of_plans({"plan": "small>", "propensity": 1}), "no plan"),
        (of_plans({"plan": "large", "propensity": 0.9}), "sum to 0.9"),
        (of_plans({"plan": "\ud800", "propensity": 1}), "cannot be printed"),
        (of_plans({"plan": "\x1b[2J", "propensity": 1}), "cannot be printed"),
        (of_plans({"plan": "a>" * 100_000 + "a", "propensity": 1}), "too long"),
        (
            of_plans(*({"plan": f"p{n}", "propensity": 0.001} for n in range(999))),
            "more than 100",
        ),
        (b" " * (MOST_BYTES + 1), "more than"),
        (of_plans(*2 * [{"plan": "large", "propensity": 0.5}]), "a plan of its own"),
    ],
)
def test_a_broken_file_draws_the_baseline_and_says_so_once(
    file: Path, clock: Clock, caplog: pytest.LogCaptureFixture, content: bytes, said: str
) -> None:
    file.write_bytes(content)
    router = router_of(file, clock)
    for _ in range(3):
        decision = router.draw(CELL)
        assert decision["candidates"] == [{"plan": "large", "propensity": 1.0}]
        assert decision["policy"] == "router_baseline"
        clock.wait(seconds=1)
    assert len(caplog.records) == 1
    assert said in caplog.text


def test_what_is_no_file_draws_the_baseline(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    folder, pipe = tmp_path / "folder", tmp_path / "pipe"
    folder.mkdir()
    os.mkfifo(pipe)
    for path in (folder, pipe, tmp_path / ("x" * 300), tmp_path / "loop"):
        if path.name == "loop":
            path.symlink_to(path)
        router = router_of(tmp_path / "routing.json", clock, routing_path=path)
        assert router.draw(CELL)["plan"] == "large"
    assert len(caplog.records) == 4


def test_a_pipe_that_is_put_in_the_place_of_the_file_is_not_waited_for(
    file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exchanged(looked_at: Path) -> tuple[int, int, int]:
        found = identity(looked_at)
        file.unlink()
        os.mkfifo(file)
        return found

    monkeypatch.setattr("orb_learning.routing.router.identity", exchanged)
    assert router_of(file, clock).draw(CELL)["policy"] == "router_baseline"


def test_a_broken_file_is_left_as_soon_as_another_is_published(file: Path, clock: Clock) -> None:
    router = router_of(file, clock)
    file.write_text("{")
    clock.wait(seconds=1)
    assert router.draw(CELL)["policy"] == "router_baseline"
    publish(file, PUBLISHED)
    clock.wait(seconds=1)
    assert router.draw(CELL)["policy"] == "router_cell"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"baseline": "small>>large"}, "no plan"),
        ({"plans": ["small", ""]}, "no plan"),
        ({"exploration": 1.5}, "exploration = 1.5"),
        ({"exploration": float("nan")}, "exploration = nan"),
        ({"mode": "dark"}, "mode = 'dark'"),
        ({"routing_max_age_hours": 0}, "routing_max_age_hours"),
    ],
)
def test_what_a_router_cannot_be_is_refused(tmp_path: Path, given: Any, said: str) -> None:
    with pytest.raises((ValueError, SettingsError), match=said):
        Router(tmp_path / "learning.db", **given)


def test_the_file_stays_the_one_where_the_working_folder_changes(
    file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(file.parent)
    router = Router("learning.db", now=clock)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert router.draw(CELL)["policy"] == "router_cell"


def test_threads_share_a_router_while_it_is_published_anew(file: Path, clock: Clock) -> None:
    router = router_of(file, clock)
    wrong: list[Any] = []

    def draw() -> None:
        for _ in range(2_000):
            decision = router.draw(CELL)
            total = sum(one["propensity"] for one in decision["candidates"])
            if total != 1 or decision["policy"] not in ("router_cell", "router_repository"):
                wrong.append(decision)

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    number = 0
    while any(thread.is_alive() for thread in threads):
        number += 1
        publish(file, PUBLISHED | {"units": PUBLISHED["units"][number % 2 :]})
        clock.wait(seconds=1)
    assert wrong == []


@pytest.mark.parametrize("seed", [None, 0])
def test_a_forked_process_draws_on_its_own(file: Path, clock: Clock, seed: int | None) -> None:
    router = router_of(file, clock, seed=seed)
    router.draw(CELL)
    state = file.parent / "child"
    router._lock.acquire()  # as another thread may have it while a process is forked

    def child() -> None:
        publish(file, PUBLISHED | {"units": PUBLISHED["units"][1:]})
        clock.wait(seconds=1)
        drawn = [router.draw(CELL) for _ in range(64)]
        assert drawn[0]["policy"] == "router_repository"
        state.write_text(json.dumps([one["plan"] == "large" for one in drawn]))

    with forked(child):
        pass
    router._lock.release()
    clock.wait(seconds=1)
    mine = [router.draw(CELL)["plan"] == "large" for _ in range(64)]
    assert json.loads(state.read_text()) != mine


def test_the_plans_before_a_build_are_those_of_the_policies_as_shipped() -> None:
    with (REPOSITORY / "seeds/routing_policies.csv").open() as file:
        plans = [policy["plan"] for policy in csv.DictReader(file)]
    assert [*PLANS, "logged"] == plans
