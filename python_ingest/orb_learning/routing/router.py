"""``Router``: draws the plan of a task, and says what a decision's record needs of it."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from orb_learning.capture import Decision, cell_values, success_of
from orb_learning.errors import MALFORMED
from orb_learning.filesystem import get_logger
from orb_learning.routing.published import (
    Chances,
    Published,
    checked_chances,
    identity,
    read_published,
)
from orb_learning.settings import load_settings

log = get_logger(__name__)

LOOK_AFTER = timedelta(seconds=1)
"""How long what was read stands before the file is looked at again."""
NO_TIME = timedelta(0)
PLANS = ("small", "medium", "large", "small>large", "medium>large", "small>medium>large")
"""The plans of the policies as shipped."""


class Router:
    """Draws plans by the chances that the last build published, and never opens DuckDB.

    It takes the chances of the task's cell, else of its repository, else of everything. Before
    anything is published it draws the baseline, and explores. Where ``routing.json`` is older than
    ``learning.routing_max_age_hours``, as far in the future, or is not what a build writes, it
    draws the baseline. A warning is logged once where that begins. Threads may share a router. A
    process forked from another one draws on its own.

    Args:
        database: the DuckDB file, beside which a build publishes; ``learning.routing_path`` may
            name another place.
        baseline: the plan that is drawn where nothing better is known.
        plans: those that can be run, besides the baseline; no other one is drawn. None is whatever
            is published, and before that the plans as shipped.
        exploration: the share of decisions drawn from all of them alike until then, 0 to 1.
        mode: ``shadow`` draws the baseline, and records what would have been drawn: in the
            execution's ``metadata.shadow``.
        seed: draws are the same with the same seed; None for others each time.
        now: the clock.
        settings: others of ``LearningSettings``, by name; the environment's if not given.

    Raises:
        ValueError: a plan, the exploration or the mode is none.
        SettingsError: a setting is wrong.
    """

    def __init__(
        self,
        database: Path | str = "data/learning.db",
        baseline: str = "large",
        *,
        plans: Sequence[str] | None = None,
        exploration: float = 0.05,
        mode: Literal["draw", "shadow"] = "draw",
        seed: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        **settings: Any,
    ):
        if mode not in ("draw", "shadow"):
            raise ValueError(f"mode = {mode!r}: must be draw or shadow")
        if not 0 <= exploration <= 1:
            raise ValueError(f"exploration = {exploration!r}: must be 0 to 1")
        known = load_settings(database_path=Path(database), **settings)
        self._file = known.routing_file.absolute()
        self._longest = timedelta(hours=known.routing_max_age_hours)
        self._baseline = Chances(checked_chances({baseline: 1.0}, "baseline"), "router_baseline")
        self._start = Chances(
            _first_chances(baseline, PLANS if plans is None else plans, exploration),
            "router_start",
        )
        self._plans = None if plans is None else frozenset({*plans, baseline})
        self._is_shadow = mode == "shadow"
        self._seed = seed
        self._now = now
        self._read: Published | None = None
        self._identity: tuple[int, int, int] | None = None
        self._otherwise = self._start
        self._usable: Published | None = None
        self._said = ""
        self._begin(random.Random(seed))  # noqa: S311 - no secret is drawn
        self._look(now())

    def propensities(
        self, repo: str | None, task_type: str | None, complexity: float | None
    ) -> dict[str, float]:
        """Return the chance of each plan for such a task; they sum to 1.

        Args:
            repo: the repository; None is unknown.
            task_type: the task type; None is unknown.
            complexity: the complexity score, 0 to 100; None is unknown.
        """
        return dict(self._chances(repo or "unknown", task_type or "unknown", complexity).by_plan)

    def draw(self, task: Any) -> Decision:
        """Return the decision about a task, as ``capture_routing_decision`` takes it.

        It never raises, whatever is published.

        Args:
            task: what is asked for, a mapping or an object with attributes, of which ``repo``,
                ``task_type`` and ``complexity_score`` count.

        Returns:
            the ``plan``, its first ``model_tier``, the ``candidates`` with their chances, the
            plan's ``propensity``, the ``policy`` (where the chances are from), ``attempt`` 1.
        """
        chances = self._chances(*cell_values(task))
        place = chances.place(self._random())
        if not self._is_shadow:
            return _decision(chances, place)
        would = {"plan": chances.plans[place], "propensity": chances.by_plan[chances.plans[place]]}
        decision = _decision(self._baseline, 0)
        decision["policy"] = "router_shadow"
        decision["metadata"] = {"shadow": would | {"policy": chances.policy}}
        return decision

    def next(self, decision: Mapping[str, Any], result: Any) -> str | None:
        """Return the tier to try after an attempt, or None: it succeeded, or the plan has ended.

        Args:
            decision: what ``draw`` returned; of a later attempt, with its ``attempt``.
            result: what came of the attempt, as ``capture_execution_outcome`` takes it.
        """
        tiers = str(decision.get("plan") or "").split(">")
        attempt = int(decision.get("attempt") or 1)
        return tiers[attempt] if attempt < len(tiers) and success_of(result) is False else None

    def _chances(self, repo: str, task_type: str, score: float | None) -> Chances:
        if os.getpid() != self._process:
            seed = None if self._seed is None else f"{self._seed} {os.getpid()}"
            self._begin(random.Random(seed))  # noqa: S311 - no secret is drawn
        now = self._now()
        if not NO_TIME <= now - self._looked_at < LOOK_AFTER and self._lock.acquire(blocking=False):
            try:
                self._look(now)
            finally:
                self._lock.release()
        usable = self._usable
        found = usable.chances(repo, task_type, score) if usable is not None else self._otherwise
        return found or self._start

    def _begin(self, source: random.Random) -> None:
        """Draw from a source; a process forked from another one must not share its draws."""
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._random = source.random

    def _look(self, now: datetime) -> None:
        """See whether another file was published, and whether what is known is too old."""
        self._looked_at = now
        otherwise, why = self._baseline, ""
        try:
            found = identity(self._file)
            if found != self._identity:
                self._read, self._identity = None, None
                self._read, self._identity = read_published(self._file, self._plans), found
        except FileNotFoundError:
            otherwise = self._start
            why = f"it is not there; until `orb build` publishes it, {self._start_text()}"
            self._identity = self._read = None
        except (OSError, MemoryError, *MALFORMED) as error:
            why = f"{error}; the baseline is drawn until `orb build` publishes it anew"
            self._identity = self._read = None
        usable = self._read
        if usable is not None and abs(now - usable.built_at) > self._longest:
            why = (
                f"it was built at {usable.built_at:%Y-%m-%d %H:%M} UTC, further from now than "
                f"learning.routing_max_age_hours; the baseline is drawn until `orb build` runs"
            )
            usable = None
        self._otherwise, self._usable = otherwise, usable
        if why and why != self._said:
            log.warning("%s: %s", self._file, why)
        self._said = why

    def _start_text(self) -> str:
        (baseline,) = self._baseline.plans
        return f"{baseline} is drawn at a chance of {self._start.by_plan[baseline]:.3g}"


def _decision(chances: Chances, place: int) -> Decision:
    plan = chances.plans[place]
    return {
        "plan": plan,
        "model_tier": chances.tiers[place],
        "candidates": [dict(candidate) for candidate in chances.candidates],
        "propensity": chances.by_plan[plan],
        "policy": chances.policy,
        "attempt": 1,
    }


def _first_chances(baseline: str, plans: Sequence[str], exploration: float) -> dict[str, float]:
    every = list(dict.fromkeys([*plans, baseline])) if exploration else [baseline]
    chances = dict.fromkeys(every, exploration / len(every))
    chances[baseline] += 1 - exploration
    return checked_chances(chances, "plans")
