"""The texts of the benchmarks: distinct, the same every time, and as long as real ones."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter, defaultdict

from benchmarks.accuracy import words_of
from benchmarks.texts import LONGEST, SHORTEST, realistic_texts, solutions, written_tasks

COUNT = 20_000


def test_tasks_are_distinct_and_as_many_as_wanted() -> None:
    texts = list(realistic_texts(COUNT))
    assert len(texts) == len(set(texts)) == COUNT


def test_tasks_have_the_lengths_of_real_ones() -> None:
    lengths = [len(text) for text in realistic_texts(COUNT)]
    assert min(lengths) >= SHORTEST
    assert max(lengths) <= LONGEST
    assert 100 <= statistics.median(lengths) <= 170
    assert statistics.pstdev(lengths) >= 35


def test_a_task_is_filled_in_and_begins_like_a_sentence() -> None:
    for text in itertools.islice(realistic_texts(COUNT), len(written_tasks()), None):
        assert not set("{}") & set(text), text
        assert not text[0].islower(), text


def test_the_same_seed_gives_the_same_tasks_and_fewer_are_the_beginning_of_more() -> None:
    assert list(realistic_texts(2_000)) == list(itertools.islice(realistic_texts(COUNT), 2_000))
    assert list(realistic_texts(2_000, seed=1)) != list(realistic_texts(2_000))


def test_the_written_tasks_come_first() -> None:
    written = [task.text for task in written_tasks()]
    assert list(realistic_texts(len(written))) == written
    assert list(realistic_texts(3)) == written[:3]


def test_no_beginning_is_that_of_many_tasks() -> None:
    beginnings = Counter(" ".join(words_of(text)[:4]) for text in realistic_texts(COUNT))
    assert beginnings.most_common(1)[0][1] <= 0.03 * COUNT


def test_solutions_are_distinct_and_the_same_for_a_seed() -> None:
    made = solutions(COUNT)
    assert len({text for _, text in made}) == COUNT
    assert made == solutions(COUNT)
    assert made != solutions(COUNT, seed=1)


def test_a_share_of_the_solutions_is_in_groups_of_2_to_8() -> None:
    for share in (0.0, 0.5, 1.0):
        sizes = Counter(group for group, _ in solutions(COUNT, reworded=share))
        assert max(sizes.values()) <= 8
        in_groups = sum(size for size in sizes.values() if size > 1)
        assert abs(in_groups / COUNT - share) <= 0.02


def test_solutions_of_a_group_share_more_words_than_solutions_of_two() -> None:
    groups = defaultdict(list)
    for group, text in solutions(COUNT):
        groups[group].append(set(words_of(text)))

    def shared(one: set[str], other: set[str]) -> float:
        return len(one & other) / len(one | other)

    first_two = [members[:2] for members in groups.values() if len(members) > 1]
    within = [shared(*pair) for pair in first_two]
    between = [shared(one[0], other[0]) for one, other in itertools.pairwise(first_two)]
    assert statistics.mean(within) >= 0.6
    assert statistics.mean(between) <= 0.25
