"""What the charts draw in which order."""

from __future__ import annotations

import re
from typing import Any

import altair as alt
import pytest
import vl_convert

from orb_learning.page.charts.by_group import BIGGEST_FIRST, bars, heat_map

SIZES = {"alpha": 3, "mid": 50, "unknown": 90, "zeta": 5}
"""As the reports have them: by name."""


def drawn(chart: alt.TopLevelMixin, rows: list[dict[str, Any]]) -> list[str]:
    """The texts of a chart from the top down, or from left to right."""
    spec = chart.to_dict(validate=False) | {"datasets": {"rows": rows}, "width": 300}
    return re.findall(r"<text[^>]*>([^<]*)</text>", vl_convert.vegalite_to_svg(spec))


@pytest.mark.parametrize("column", ["repo", "task_type", "pool_type", "model_tier"])
@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (BIGGEST_FIRST, ["mid", "zeta", "alpha", "unknown"]),
        (None, ["alpha", "mid", "zeta", "unknown"]),
    ],
)
def test_what_was_not_recorded_is_the_last_bar(
    column: str, sort: str | None, order: list[str]
) -> None:
    rows = [{column: name, "n": n, "n_lower": n, "n_upper": n} for name, n in SIZES.items()]
    chart = bars(column, "n", [], axis_format="~s", sort=sort, interval=True)
    assert [text for text in drawn(chart, rows) if text in SIZES] == order


def test_what_was_not_recorded_is_the_last_row_and_column_of_a_heat_map() -> None:
    tiers = ["large", "medium", "none", "small"]
    rows = [{"task_type": name, "tier": tier, "n": 1} for name in SIZES for tier in tiers]
    texts = drawn(heat_map("task_type", "tier", "n", [], colours=["#fff", "#000"]), rows)
    assert [text for text in texts if text in SIZES] == ["alpha", "mid", "zeta", "unknown"]
    assert [text for text in texts if text in tiers] == ["small", "medium", "large", "none"]
