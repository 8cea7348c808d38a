"""A figure beside its baseline and its target, and how figures are shown and kept."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured number. It is met, missed, or has no target and is only shown."""

    name: str
    measured: float
    unit: str = "s"
    baseline: float | None = None
    baseline_name: str = ""
    most_ratio: float | None = None
    """The target: at most so many times the baseline."""
    most: float | None = None
    """Or: at most so much."""
    least: float | None = None
    """Or: at least so much; with ``most``, between both."""

    @property
    def ratio(self) -> float | None:
        return self.measured / self.baseline if self.baseline else None

    @property
    def is_met(self) -> bool | None:
        if self.most_ratio is not None:
            return self.ratio is not None and self.ratio <= self.most_ratio
        bounds = [] if self.most is None else [self.measured <= self.most]
        bounds += [] if self.least is None else [self.measured >= self.least]
        return all(bounds) if bounds else None

    def cells(self) -> tuple[str, ...]:
        """Name, measured, baseline, ratio, target, and whether it is met."""
        target = "" if self.most is None else f"≤ {amount(self.most, self.unit)}"
        if self.least is not None:
            target = f"≥ {amount(self.least, self.unit)}"
            if self.most is not None:
                target = f"{self.least:g} to {self.most:g} {self.unit}"
        if self.most_ratio is not None:
            target = f"≤ {self.most_ratio:g} x"
        baseline = "" if self.baseline is None else amount(self.baseline, self.unit)
        return (
            self.name,
            amount(self.measured, self.unit),
            f"{baseline} {self.baseline_name}".strip(),
            "" if self.ratio is None else f"{self.ratio:.2f} x",
            target,
            {None: "", True: "yes", False: "NO"}[self.is_met],
        )


DECIMALS = {"%": 1, "points": 2}
HEADINGS = ("benchmark", "measured", "baseline", "ratio", "target", "ok?")


def amount(number: float, unit: str) -> str:
    """Return a number with its unit; a time of less than a second in ms."""
    if unit in DECIMALS:
        return f"{number:.{DECIMALS[unit]}f} {unit}"
    if unit == "s" and number < 1:
        return f"{number * 1000:.3g} ms"
    return f"{number:,.0f} {unit}" if unit != "s" or number >= 100 else f"{number:.3g} s"


def table(title: str, figures: Iterable[Figure]) -> Table:
    """Return the figures as a table for the terminal, missed targets red."""
    shown = Table(title=title, title_justify="left")
    for number, heading in enumerate(HEADINGS):
        shown.add_column(heading, justify="left" if number == 0 else "right")
    for figure in figures:
        shown.add_row(
            *figure.cells(), style={None: "", True: "green", False: "bold red"}[figure.is_met]
        )
    return shown


def markdown(figures: Iterable[Figure]) -> str:
    """Return the figures as a table in Markdown."""
    rows = [HEADINGS, ("---", *["---:"] * 5), *(figure.cells() for figure in figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def machine() -> str:
    """Return what the figures depend on besides the code."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}, "
        f"DuckDB {version('duckdb')}, dbt-core {version('dbt-core')}, "
        f"dbt-duckdb {version('dbt-duckdb')}"
    )


def save(benchmark: str, scale: str, figures: list[Figure]) -> None:
    """Keep the figures of a benchmark's last run at this scale."""
    RESULTS.mkdir(exist_ok=True)
    kept = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "figures": [asdict(figure) for figure in figures],
    }
    (RESULTS / f"{benchmark}.{scale}.json").write_text(json.dumps(kept, indent=2) + "\n")


def load(benchmark: str, scale: str) -> tuple[str, str, list[Figure]] | None:
    """Return when and on what it was run last, and its figures; None if it was not."""
    file = RESULTS / f"{benchmark}.{scale}.json"
    if not file.exists():
        return None
    kept = json.loads(file.read_text())
    return kept["measured_at"], kept["machine"], [Figure(**one) for one in kept["figures"]]
