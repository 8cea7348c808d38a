"""Clusters of texts are those of the definition, however the texts came and went."""

from __future__ import annotations

import csv
import itertools
from typing import Any

import numpy
import pytest
import yaml
from building import REPOSITORY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orb_learning.embeddings import leader_clusters, near_pairs
from orb_learning.embeddings.encoder import Encoder
from orb_learning.embeddings.leader_clusters import assign
from orb_learning.embeddings.near_pairs import ONE, SCALE, Vectors

LEAST = 0.8
Clusters = dict[int, tuple[int, int]]
"""Number of a text → the number of its leader, and the product with it."""


@pytest.fixture
def real_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo small_blocks."""
    monkeypatch.undo()


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that a handful of texts fills several; one direction lets wrong pairs through."""
    for name, value in {"ROWS_AT_ONCE": 2, "COLUMNS_AT_ONCE": 3, "TILE": 8}.items():
        monkeypatch.setattr(near_pairs, name, value)
    monkeypatch.setattr(near_pairs, "DIRECTIONS", 1)
    monkeypatch.setattr(leader_clusters, "FEWEST_AT_ONCE", 2)
    monkeypatch.setattr(leader_clusters, "MOST_AT_ONCE", 3)


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
    exact = numpy.array([texts[number] for number in numbers], numpy.int16)
    known = [before.get(number, (None, 0)) for number in numbers]
    leaders = numpy.array([numbers.index(leader) if leader in texts else -1 for leader, _ in known])
    products = numpy.array([product for _, product in known], float)
    leaders, products = assign(Vectors(exact, LEAST), leaders, products)
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


@pytest.mark.parametrize("dense", [1, 1 / 64])
@given(changes=CHANGES)
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_texts_that_come_and_go_leave_the_clusters_of_the_definition(
    changes: list[tuple[dict[int, int], set[int]]], dense: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_pairs, "DENSE", dense)
    texts: dict[int, Any] = {}
    clusters: Clusters = {}
    for come, go in changes:
        # A text keeps its vector as long as it is there.
        texts = {n: vector(d) for n, d in come.items()} | texts
        texts = {n: v for n, v in texts.items() if n not in go}
        clusters = {n: c for n, c in clusters.items() if n in texts and n not in go}
        if not texts:
            continue
        clusters = built(texts, clusters)
        assert clusters == defined(texts)


@given(
    st.permutations(range(20)), st.lists(DIRECTIONS, min_size=20, max_size=20), st.integers(1, 9)
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_cutting_into_runs_gives_the_same_clusters(
    order: list[int], directions: list[int], at_once: int
) -> None:
    texts: dict[int, Any] = {}
    clusters: Clusters = {}
    for start in range(0, len(order), at_once):
        texts |= {number: vector(directions[number]) for number in order[start : start + at_once]}
        clusters = built(texts, clusters)
    assert clusters == defined(texts)


def whole_vectors(count: int, spread: float) -> Any:
    """Return vectors around a few directions, rounded as the package rounds them."""
    random = numpy.random.default_rng(1)
    centres = random.standard_normal((count // 20, 384))
    vectors = centres[random.integers(0, len(centres), count)]
    vectors = vectors + spread * random.standard_normal(vectors.shape)
    vectors /= numpy.linalg.norm(vectors, axis=1)[:, None]
    return numpy.rint(vectors * SCALE).astype(numpy.int16)


@pytest.mark.parametrize("dense", [1, 0])
@pytest.mark.parametrize("directions", [2, 47, 384])
def test_every_similar_pair_is_found_and_its_product_is_exact(
    directions: int, dense: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_pairs, "DENSE", dense)
    monkeypatch.setattr(near_pairs, "DIRECTIONS", directions)
    for name, value in {"ROWS_AT_ONCE": 30, "COLUMNS_AT_ONCE": 50, "TILE": 100}.items():
        monkeypatch.setattr(near_pairs, name, value)
    whole = whole_vectors(300, spread=0.4)
    exact = numpy.minimum(whole.astype(int) @ whole.astype(int).T, ONE)
    wanted = {(i, j): exact[i, j] for i, j in numpy.argwhere(exact >= 0.86 * ONE).tolist()}
    assert 300 < len(wanted) < 90_000
    found = {}
    for one, other, product in Vectors(whole, 0.86).pairs(numpy.arange(300), numpy.arange(300)):
        found |= dict(zip(zip(one.tolist(), other.tolist(), strict=True), product, strict=True))
    assert found == wanted


def test_a_sketch_spares_most_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of vectors as these, fewer than one in 50 that are not similar are multiplied in full."""
    monkeypatch.setattr(near_pairs, "DIRECTIONS", 47)
    whole = whole_vectors(2_000, spread=0.4)
    multiplied = []
    similar = Vectors._similar

    def counted(self: Vectors, one: Any, other: Any) -> Any:
        multiplied.append(len(one))
        return similar(self, one, other)

    monkeypatch.setattr(Vectors, "_similar", counted)
    for name, value in {"ROWS_AT_ONCE": 256, "COLUMNS_AT_ONCE": 1_024, "TILE": 4_096}.items():
        monkeypatch.setattr(near_pairs, name, value)
    places = numpy.arange(len(whole))
    pairs = list(Vectors(whole, 0.86).pairs(places, places))
    found = sum(len(part.one) for part in pairs)
    assert sum(multiplied) - found < len(whole) ** 2 / 50


LAST_SOLUTIONS = 30
"""Texts at the end of tests/data/solution_groups.csv that differ from another solution's in one
word (enable and disable the cache): no threshold parts their vectors."""


def figures(groups: list[str], vectors: Any, threshold: float) -> tuple[float, float]:
    """Return precision and recall of the pairs that are in one cluster."""
    waiting = numpy.full(len(groups), -1)
    exact = numpy.rint(vectors * SCALE).astype(numpy.int16)
    leaders, _ = assign(Vectors(exact, threshold), waiting, waiting * 0.0)
    pairs = list(itertools.combinations(range(len(groups)), 2))
    together = {(a, b) for a, b in pairs if leaders[a] == leaders[b]}
    same = {(a, b) for a, b in pairs if groups[a] == groups[b]}
    return len(together & same) / len(together), len(together & same) / len(same)


@pytest.mark.usefixtures("real_blocks")
@pytest.mark.parametrize(
    ("kind", "least_precision", "least_recall"), [("issue", 1, 0.99), ("patch", 0.9, 0.95)]
)
def test_texts_that_share_a_template_are_mostly_apart(
    kind: str, least_precision: float, least_recall: float
) -> None:
    """The figures are in docs/decisions/0005-solution-clusters.md."""
    with (REPOSITORY / "tests/data/shared_templates.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == kind]
    groups = [f"{row['template']} {row['group']}" for row in rows]
    precision, recall = figures(groups, Encoder().encode([row["text"] for row in rows]), 0.86)
    assert precision >= least_precision
    assert recall >= least_recall


@pytest.mark.usefixtures("real_blocks")
def test_the_threshold_parts_solutions_of_unlike_words() -> None:
    """The figures are in docs/decisions/0005-solution-clusters.md."""
    project = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())
    threshold = project["vars"]["text_cluster_similarity"]
    with (REPOSITORY / "tests/data/solution_groups.csv").open(newline="") as file:
        solutions = [(row["solution"], row["text"]) for row in csv.DictReader(file)]
    solutions = solutions[:-LAST_SOLUTIONS]
    vectors = Encoder().encode([text for _, text in solutions])
    groups = [solution for solution, _ in solutions]
    precision, recall = figures(groups, vectors, threshold)
    assert precision == 1
    assert recall > 0.75
    assert figures(groups, vectors, threshold - 0.02)[0] < 1
