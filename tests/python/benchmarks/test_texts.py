"""The texts of the benchmarks: distinct, the same every time, and as long as real ones."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter

from benchmarks.accuracy import words_of
from benchmarks.texts import LONGEST, SHORTEST, realistic_texts, written_tasks

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


def test_a_seed_gives_the_same_tasks_and_fewer_are_a_prefix_of_more() -> None:
    assert list(realistic_texts(2_000)) == list(itertools.islice(realistic_texts(COUNT), 2_000))
    assert list(realistic_texts(2_000, seed=1)) != list(realistic_texts(2_000))


def test_the_written_tasks_come_first() -> None:
    written = [task.text for task in written_tasks()]
    assert list(realistic_texts(len(written))) == written
    assert list(realistic_texts(3)) == written[:3]


def test_no_beginning_is_that_of_many_tasks() -> None:
    beginnings = Counter(" ".join(words_of(text)[:4]) for text in realistic_texts(COUNT))
    assert beginnings.most_common(1)[0][1] <= 0.03 * COUNT
