"""Whatever came, went and returned in whatever builds, clusters are a function of the texts.

The package's functions work on real DuckDB tables. The embedding is a stand-in: each text has a
vector of its own, the same whenever it is embedded.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb
import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import text_id

from orb_learning.embeddings import leader_clusters, near_pairs, text_embeddings
from orb_learning.embeddings.near_pairs import ONE, SCALE
from orb_learning.embeddings.text_clusters import new_rows

LEAST = 0.8
KINDS = ("task", "solution")
TEXTS = [f"text {number}" for number in range(16)]
MODEL = "stand-in"
Clusters = list[tuple[str, int, int, float]]


class StandIn:
    """An encoder: 40 directions in a plane, of which texts share some."""

    def __init__(self, model: str):
        self.model = model

    def encode(self, texts: list[str]) -> Any:
        return numpy.array([vector(text) for text in texts], numpy.float32)


def vector(text: str) -> list[float]:
    angle = (7 * int(text.split()[1]) % 17 + int(text.split()[1]) % 2 / 3) * numpy.pi / 20
    return [float(numpy.cos(angle)), float(numpy.sin(angle)), *[0.0] * 382]


class Database:
    """Executions' texts, their vectors and their clusters, as the models build them."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute(
            "create table texts (kind varchar, text_id ubigint, text varchar, timestamp timestamp)"
        )
        self.connection.execute(
            "create table embedded (text_id ubigint primary key, text_number bigint, "
            "text_sha256 varchar, text varchar, embedding float[384], model varchar, "
            "embedded_at timestamp, skipped_because varchar)"
        )
        self.connection.execute(
            "create table clustered (kind varchar, text_id ubigint, text_number bigint, "
            "cluster_id ubigint, similarity double, model varchar, threshold double, "
            "definition integer, primary key (kind, text_id))"
        )

    def come(self, kind: str, text: str, day: int) -> None:
        """Insert an execution with the text; it may be a late one."""
        self.connection.execute(
            "insert into texts values (?, ?, ?, ?)",
            [kind, text_id(text), text, datetime(2026, 3, 1 + day)],  # noqa: DTZ001
        )

    def go(self, kind: str, text: str) -> None:
        self.connection.execute("delete from texts where kind = ? and text = ?", [kind, text])

    def lose_vector(self, text: str) -> None:
        """Delete its vector, too, as `orb forget` does; it is embedded again where it is used."""
        self.connection.execute("delete from embedded where text = ?", [text])

    def embed(self, most: int) -> None:
        rows = text_embeddings.new_rows(
            self.connection,
            texts="texts",
            embedded="embedded",
            model=MODEL,
            most_texts=most,
            enabled=True,
        )
        self.connection.register("rows", rows.read_all())
        self.connection.execute("insert into embedded from rows")

    def cluster(self, *, is_interrupted: bool = False) -> None:
        """Build the clusters; a build that is interrupted leaves the former ones."""
        self.connection.register("rows", self._new_rows("clustered"))
        self.connection.execute("begin")
        self.connection.execute(
            "delete from clustered using rows "
            "where clustered.kind = rows.kind and clustered.text_id = rows.text_id"
        )
        self.connection.execute(
            "insert into clustered by name from rows where cluster_id is not null"
        )
        self.connection.execute("rollback" if is_interrupted else "commit")

    def built(self) -> Clusters:
        return self._clusters("clustered")

    def full_refresh(self) -> Clusters:
        self.connection.register("rows", self._new_rows(None))
        return self._clusters("rows")

    def defined(self) -> Clusters:
        """Work out the definition from the texts that have a vector, in plain Python."""
        found = []
        for kind in KINDS:
            present = self.connection.execute(
                "select distinct text from texts where kind = ? "
                "and text_id in (select text_id from embedded)",
                [kind],
            ).fetchall()
            leaders: list[str] = []
            for text in sorted((text for (text,) in present), key=text_id):
                near = [(product(text, leader), leader) for leader in leaders]
                most, best = max(near, key=lambda pair: pair[0], default=(0, text))
                if most < LEAST * ONE:
                    most, best = ONE, text
                    leaders.append(text)
                found.append((kind, text_id(text), text_id(best), most / ONE))
        return sorted(found)

    def _new_rows(self, clustered: str | None) -> Any:
        return new_rows(
            self.connection,
            texts="texts",
            embedded="embedded",
            clustered=clustered,
            model=MODEL,
            threshold=LEAST,
        )

    def _clusters(self, relation: str) -> Clusters:
        return self.connection.execute(
            f"select kind, text_id, cluster_id, similarity from {relation} order by all"
        ).fetchall()


def product(one: str, other: str) -> int:
    rounded = [numpy.rint(numpy.float32(vector(text)) * SCALE).astype(int) for text in (one, other)]
    return min(ONE, int(rounded[0] @ rounded[1]))


KIND, TEXT = st.sampled_from(KINDS), st.sampled_from(TEXTS)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), KIND, TEXT, st.integers(0, 20)),
        st.tuples(st.just("come"), KIND, TEXT, st.integers(0, 20)),
        st.tuples(st.just("go"), KIND, TEXT),
        st.tuples(st.just("lose_vector"), TEXT),
        st.tuples(st.just("build"), st.integers(0, 6)),
        st.tuples(st.just("interrupted"), st.integers(0, 6)),
    ),
    min_size=10,
    max_size=30,
)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_embeddings, "Encoder", StandIn)
    monkeypatch.setattr(near_pairs, "DIRECTIONS", 1)
    monkeypatch.setattr(leader_clusters, "FEWEST_AT_ONCE", 2)
    monkeypatch.setattr(leader_clusters, "MOST_AT_ONCE", 4)


@pytest.mark.slow
@given(STEPS)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_clusters_are_a_function_of_the_texts_whatever_their_history(steps: list[Any]) -> None:
    database = Database()
    for name, *arguments in [*steps, ("build", 100)]:
        if name in ("build", "interrupted"):
            database.embed(arguments[0])
            database.cluster(is_interrupted=name == "interrupted")
        else:
            getattr(database, name)(*arguments)
        if name == "build":
            assert database.built() == database.defined()
    assert database.built() == database.full_refresh()


def test_a_text_that_went_leaves_no_trace() -> None:
    """A text that led others comes and goes: all is as if it had never been."""
    database, untouched = Database(), Database()
    for one in (database, untouched):
        for day, text in enumerate(TEXTS[:8]):
            one.come("solution", text, day)
    for text in TEXTS[8:]:
        database.come("solution", text, 0)
    database.embed(100)
    database.cluster()
    led = database.built()
    for text in TEXTS[8:]:
        database.go("solution", text)
    database.cluster()
    untouched.embed(100)
    untouched.cluster()
    assert database.built() == untouched.built()
    gone = {text_id(text) for text in TEXTS[8:]}
    assert any(leader in gone and text not in gone for _, text, leader, _ in led)
