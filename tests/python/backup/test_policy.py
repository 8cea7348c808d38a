"""The policy keeps the last backups, and the last of each period."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

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


def test_a_backup_expires_on_the_day_that_pruning_every_day_removes_it() -> None:
    now = datetime(2020, 1, 15, 12)  # noqa: DTZ001
    two = PrunePolicy(last=2, daily=0, weekly=0, monthly=0)
    older = now - timedelta(days=1)
    assert two.expires_on(now, [now, older], now) == date(2020, 1, 17)
    assert two.expires_on(older, [now, older], now) == date(2020, 1, 16)
    monthly = PrunePolicy(last=1, daily=0, weekly=0, monthly=3)
    # The newest of a month: the 31st is that of January, so this one goes at once.
    assert monthly.expires_on(now, [now], now) == date(2020, 1, 16)
    end = datetime(2020, 1, 31, 12)  # noqa: DTZ001
    assert monthly.expires_on(end, [end], end) == date(2020, 4, 1)
    for_ever = PrunePolicy(last=10_000, daily=0, weekly=0, monthly=0)
    assert for_ever.expires_on(now, [], now) is None
