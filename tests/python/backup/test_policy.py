"""The policy keeps the last backups, and the last of each period."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from orb_learning.backup.policy import PrunePolicy

times = st.lists(
    st.datetimes(datetime(2019, 12, 1), datetime(2021, 2, 1)),  # noqa: DTZ001
    max_size=60,
)


counts = st.integers(0, 5)


@given(
    times,
    st.builds(PrunePolicy, last=st.integers(1, 5), daily=counts, weekly=counts, monthly=counts),
)
def test_the_policy_keeps_the_last_ones_and_the_last_of_each_period(
    given_times: list[datetime], policy: PrunePolicy
) -> None:
    kept = policy.kept(given_times)
    newest_first = sorted(set(given_times), reverse=True)
    assert set(newest_first[: policy.last]) <= kept.keys() <= set(given_times)
    assert all(kept.values())
    periods: list[tuple[str, int, Callable[[datetime], object]]] = [
        ("day", policy.daily, lambda moment: moment.date()),
        ("week", policy.weekly, lambda moment: moment.isocalendar()[:2]),
        ("month", policy.monthly, lambda moment: (moment.year, moment.month)),
    ]
    for name, most, period_of in periods:
        by_policy = {moment for moment in kept if any(name in why for why in kept[moment])}
        there = sorted({period_of(moment) for moment in given_times}, reverse=True)  # type: ignore[type-var]
        assert {period_of(moment) for moment in by_policy} == set(there[:most])
        for moment in by_policy:
            in_period = [other for other in given_times if period_of(other) == period_of(moment)]
            assert moment == max(in_period)
    for moment in kept:
        assert len(kept[moment]) == len(set(kept[moment]))


@given(times, times, st.builds(PrunePolicy, st.just(3), counts, counts, counts))
def test_pruning_again_removes_nothing_and_what_goes_is_not_needed_later(
    given_times: list[datetime], later: list[datetime], policy: PrunePolicy
) -> None:
    kept = set(policy.kept(given_times))
    assert set(policy.kept(kept)) == kept
    # A backup that goes would not be kept beside newer ones either.
    newest = max(given_times, default=datetime(2019, 1, 1))  # noqa: DTZ001
    newer = [moment for moment in later if moment > newest]
    assert set(policy.kept([*given_times, *newer])) == set(policy.kept([*kept, *newer]))
