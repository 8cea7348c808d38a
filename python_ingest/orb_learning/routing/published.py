"""``routing.json``, which a build publishes for routers: read whole, or refused with the reason.

docs/learning.md has the format.
"""

from __future__ import annotations

import json
import math
import stat
from bisect import bisect
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

from orb_learning.filesystem import read_regular

VERSION = 1
MOST_BYTES = 32 * 2**20
"""Some 60,000 units (3,000 repositories with two cells each have 3 MB). A hostile file takes thirty
times its size of memory."""
MOST_PLANS, LONGEST_PLAN = 100, 200
"""Of a unit, and its characters: each decision records all of them."""
LARGEST = 1e9
"""Beyond it, no bound of a score lies."""
TOLERANCE = 1e-6
"""By how much the chances of a unit may miss a sum of 1: they are written with all their digits."""

Unit = tuple[str | None, str | None, str | None]
"""A repository, task type and complexity band; None is any."""
EVERYTHING: Unit = (None, None, None)
LEVELS = {
    "cell": ("repo", "task_type", "complexity_band"),
    "repository": ("repo",),
    "everything": (),
}
"""What a unit of each level names."""


class Chances:
    """The plans that can be drawn, each with its chance.

    Args:
        chances: above 0, and about 1 in all; they are scaled to 1.
        policy: what a decision says that it was drawn by.
    """

    __slots__ = ("_bounds", "_last", "by_plan", "candidates", "plans", "policy", "tiers")

    def __init__(self, chances: Mapping[str, float], policy: str):
        total = math.fsum(chances.values())
        self.by_plan = {plan: chance / total for plan, chance in chances.items()}
        self.candidates = [
            {"plan": plan, "propensity": chance} for plan, chance in self.by_plan.items()
        ]
        self.plans = list(self.by_plan)
        self.tiers = [plan.partition(">")[0] for plan in self.plans]
        self.policy = policy
        self._bounds = list(accumulate(self.by_plan.values()))
        self._last = len(self.plans) - 1

    def place(self, uniform: float) -> int:
        """Return the place of the plan that a number from 0 to below 1 draws."""
        return bisect(self._bounds, uniform, 0, self._last)


@dataclass(frozen=True)
class Published:
    """What a build published."""

    built_at: datetime
    medium_from: float
    high_from: float
    units: Mapping[Unit, Chances]

    def band(self, score: float | None) -> str:
        """Return the complexity band of a score, as the models tell it."""
        if score is None:
            return "unknown"
        if score < self.medium_from:
            return "low"
        return "medium" if score < self.high_from else "high"

    def chances(self, repo: str, task_type: str, score: float | None) -> Chances | None:
        """Return the chances of the cell, else its repository's, else all's, else None."""
        units = self.units
        return (
            units.get((repo, task_type, self.band(score)))
            or units.get((repo, None, None))
            or units.get(EVERYTHING)
        )


def identity(file: Path) -> tuple[int, int, int]:
    """Return what changes when another file is published.

    Raises:
        ValueError: it is no regular file, such as a pipe, which would not end.
        OSError: it is not there, or cannot be looked at.
    """
    found = file.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is no regular file")
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_published(file: Path, plans: Collection[str] | None = None) -> Published:
    """Return what a file holds.

    Args:
        file: the file.
        plans: those that can be run; the chances of a unit are its own among these, scaled to 1. A
            unit that has none of them is left out. None is any.

    Raises:
        ValueError: it is not what a build writes; says what is wrong, and where.
        OSError: it cannot be read.
    """
    content = read_regular(file, MOST_BYTES)
    try:
        found = json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"it is no JSON ({error})") from None
    if not isinstance(found, dict) or found.get("version") != VERSION:
        version = found.get("version") if isinstance(found, dict) else None
        raise ValueError(f"version = {version!r:.50}: this version of orb-learning reads {VERSION}")
    units = found.get("units")
    if not isinstance(units, list):
        raise ValueError("units: must be a list")
    return Published(
        built_at=_time(found.get("built_at")),
        medium_from=_number(found, "medium_from"),
        high_from=_number(found, "high_from"),
        units={
            named: Chances(kept, policy)
            for place, unit in enumerate(units)
            for named, chances, policy in [_unit(unit, f"units[{place}]")]
            if (kept := {p: chances[p] for p in chances if plans is None or p in plans})
        },
    )


def checked_chances(chances: Mapping[str, Any], where: str) -> dict[str, float]:
    """Return chances that can be drawn by.

    Args:
        chances: by plan; a plan is tiers with ``>`` between them.
        where: what an error names.

    Raises:
        ValueError: there are none or too many, a plan is none, one is no number above 0 and up to
            1, or they do not sum to 1.
    """
    if not chances:
        raise ValueError(f"{where}: there is no plan")
    if len(chances) > MOST_PLANS:
        raise ValueError(f"{where}: there are more than {MOST_PLANS} plans")
    for plan, chance in chances.items():
        if len(plan) > LONGEST_PLAN or not plan.isprintable():
            raise ValueError(f"{where}: {plan!r:.50} is too long, or cannot be printed")
        if not all(tier.strip() for tier in plan.split(">")):
            raise ValueError(f"{where}: {plan!r:.50} is no plan, such as small>large")
        if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 < chance <= 1:
            raise ValueError(f"{where}: {plan!r:.50} has no propensity above 0 and up to 1")
    total = math.fsum(chances.values())
    if abs(total - 1) > TOLERANCE:
        raise ValueError(f"{where}: the propensities sum to {total:g}, not to 1")
    return dict(chances)


def _unit(unit: Any, where: str) -> tuple[Unit, dict[str, float], str]:
    level = unit.get("level") if isinstance(unit, dict) else None
    if not isinstance(level, str) or level not in LEVELS:
        raise ValueError(f"{where}.level: must be one of {', '.join(LEVELS)}")
    for name in LEVELS[level]:
        if not isinstance(unit.get(name), str):
            raise ValueError(f"{where}.{name}: must be a text")
    named = [unit[name] if name in LEVELS[level] else None for name in LEVELS["cell"]]
    chances: dict[str, Any] = {}
    plans = unit.get("plans")
    for plan in plans if isinstance(plans, list) else []:
        one = plan.get("plan") if isinstance(plan, dict) else None
        if not isinstance(one, str) or one in chances:
            raise ValueError(f"{where}.plans: each must have a plan of its own")
        chances[one] = plan.get("propensity")
    found = checked_chances(chances, f"{where}.plans")
    return (named[0], named[1], named[2]), found, f"router_{level}"


def _time(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"built_at = {value!r:.50}: must be an ISO time") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _number(found: Mapping[str, Any], name: str) -> float:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} = {value!r:.50}: must be a number")
    if not -LARGEST < value < LARGEST:
        raise ValueError(f"{name} = {value!r:.50}: is no bound of a score")
    return value
