"""Clusters of texts are those of the definition, however the texts came and went."""

from __future__ import annotations

import csv
import itertools
from typing import Any

import numpy
import pytest
import yaml
from building import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from orb_learning.embeddings import text_clusters as embeddings_text_clusters
from orb_learning.embeddings.encoder import Encoder
from orb_learning.embeddings.text_clusters import ONE, SCALE, assign

LEAST = 0.8
Clusters = dict[int, tuple[int, int]]
"""Number of a text → the number of its leader, and the product with it."""


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that a handful of texts fills several."""
    monkeypatch.setattr(embeddings_text_clusters, "TEXTS_AT_ONCE", 3)
    monkeypatch.setattr(embeddings_text_clusters, "LEADERS_AT_ONCE", 2)


def defined(texts: dict[int, Any]) -> Clusters:
    """Work out the definition, text after text."""
    found: Clusters = {}
    for number in sorted(texts):
        products = {
            leader: min(ONE, int(texts[number].astype(int) @ texts[leader].astype(int)))
            for leader, (its_own, _) in found.items()
            if its_own == leader
        }
        best = max(products, key=lambda leader: (products[leader], -leader), default=None)
        if best is None or products[best] < LEAST * ONE:
            found[number] = number, ONE
        else:
            found[number] = best, products[best]
    return found


def built(texts: dict[int, Any], before: Clusters) -> Clusters:
    """Let the package find the clusters, given those of the last build."""
    numbers = sorted(texts)
    vectors = numpy.array([texts[number] for number in numbers], numpy.int16)
    known = [before.get(number, (None, 0)) for number in numbers]
    leaders = numpy.array([numbers.index(leader) if leader in texts else -1 for leader, _ in known])
    products = numpy.array([product for _, product in known], float)
    leaders, products = assign(leaders, products, lambda places: vectors[places], LEAST)
    return {
        number: (numbers[leader], int(product))
        for number, leader, product in zip(numbers, leaders, products, strict=True)
    }


def vector(direction: int) -> Any:
    """Return one of 60 directions in a plane, 6 degrees apart: many are equally similar."""
    angle = direction * numpy.pi / 30
    return numpy.rint(SCALE * numpy.array([numpy.cos(angle), numpy.sin(angle)])).astype(numpy.int16)


DIRECTIONS = st.integers(0, 59)
TEXTS = st.dictionaries(st.integers(0, 40), DIRECTIONS, max_size=16)
CHANGES = st.lists(
    st.tuples(TEXTS, st.sets(st.integers(0, 40), max_size=6)), min_size=1, max_size=4
)


@given(CHANGES)
@settings(max_examples=400, deadline=None)
def test_texts_that_come_and_go_in_any_order_leave_the_clusters_of_the_definition(
    changes: list[tuple[dict[int, int], set[int]]],
) -> None:
    texts: dict[int, Any] = {}
    clusters: Clusters = {}
    for come, go in changes:
        # A text keeps its vector as long as it has its number.
        texts = {n: vector(d) for n, d in come.items()} | texts
        texts = {n: v for n, v in texts.items() if n not in go}
        clusters = {n: c for n, c in clusters.items() if n in texts and n not in go}
        if not texts:
            continue
        clusters = built(texts, clusters)
        assert clusters == defined(texts)


@given(st.lists(DIRECTIONS, min_size=1, max_size=20), st.lists(st.integers(1, 20), max_size=5))
def test_any_cutting_of_the_texts_into_runs_gives_the_same_clusters(
    directions: list[int], cuts: list[int]
) -> None:
    texts = {number: vector(direction) for number, direction in enumerate(directions)}
    clusters: Clusters = {}
    for cut in [*sorted(cuts), len(texts)]:
        so_far = {number: texts[number] for number in texts if number < cut}
        clusters = built(so_far, clusters)
    assert clusters == defined(texts)


def test_products_are_exact_whatever_is_multiplied_with_them() -> None:
    random = numpy.random.default_rng(1)
    vectors = random.standard_normal((300, 384))
    vectors /= numpy.linalg.norm(vectors, axis=1)[:, None]
    whole = numpy.rint(vectors * SCALE).astype(numpy.int16)
    exact = numpy.minimum(whole.astype(int) @ whole.astype(int).T, ONE)
    assert (embeddings_text_clusters._products(whole, whole) == exact).all()
    for rows in (1, 7, 64):
        assert (embeddings_text_clusters._products(whole[:rows], whole) == exact[:rows]).all()


def test_nothing_is_read_when_no_text_waits() -> None:
    def read(places: Any) -> Any:
        raise AssertionError(f"{places} were read")

    leaders = numpy.array([0, 0, 2])
    assign(leaders, numpy.array([ONE, ONE - 5, ONE]), read, LEAST)


LAST_SOLUTIONS = 30
"""Texts at the end of tests/data/solution_groups.csv that differ from another solution's in one
word (enable and disable the cache): no threshold parts their vectors."""


def test_the_threshold_parts_different_solutions_but_for_those_of_like_words() -> None:
    """The figures are in docs/decisions/0005-solution-clusters.md."""
    project = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())
    threshold = project["vars"]["text_cluster_similarity"]
    with (REPOSITORY / "tests/data/solution_groups.csv").open(newline="") as file:
        solutions = [(row["solution"], row["text"]) for row in csv.DictReader(file)]
    solutions = solutions[:-LAST_SOLUTIONS]
    vectors = numpy.rint(Encoder().encode([text for _, text in solutions]) * SCALE)

    def figures(threshold: float) -> tuple[float, float]:
        waiting = numpy.full(len(solutions), -1)
        leaders, _ = assign(
            waiting, waiting * 0.0, lambda places: vectors[places].astype(numpy.int16), threshold
        )
        together = {
            (a, b) for a, b in itertools.combinations(range(len(solutions)), 2)
            if leaders[a] == leaders[b]
        }  # fmt: skip
        same = {
            (a, b) for a, b in itertools.combinations(range(len(solutions)), 2)
            if solutions[a][0] == solutions[b][0]
        }  # fmt: skip
        return len(together & same) / len(together), len(together & same) / len(same)

    precision, recall = figures(threshold)
    assert precision == 1
    assert recall > 0.75
    assert figures(threshold - 0.02)[0] < 1
