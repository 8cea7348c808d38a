"""The rows of the dbt model int_text_clusters: which texts say nearly the same.

Leader clustering, in the order of the texts' numbers: a text joins the most similar leader before
it (of equally similar ones the first), or leads a cluster itself where none is similar enough. So a
text's cluster depends on the texts before it alone, and new texts change nothing that was built.

Where a text before others comes or goes (a deletion, a text that is used again), only what that
changes is worked out anew: the texts of a leader that is lost, and whatever is nearer to a leader
that is gained. The result is exactly that of a full refresh, because similarities are exact: each
number of a vector is rounded to a whole multiple of 1/4,000, and the sums of the products are whole
numbers below 2^24, which 32-bit floats add without an error, in whatever order.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow

from orb_learning.record import DIMENSIONS

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

SCALE = 4_000
"""Of unit vectors; rounding moves a similarity by about 0.0001."""
ONE = SCALE * SCALE
"""The product of a vector and itself. Rounding can make it larger, which is cut off."""

TEXTS_AT_ONCE = 1_024
LEADERS_AT_ONCE = 8_192
"""Their products are in memory at a time: 32 MB."""

SCHEMA = pyarrow.schema(
    {
        "kind": pyarrow.string(),
        "text_id": pyarrow.uint64(),
        "text_number": pyarrow.int64(),
        "cluster_id": pyarrow.uint64(),
        "similarity": pyarrow.float64(),
        "model": pyarrow.string(),
        "threshold": pyarrow.float64(),
    }
)


def new_rows(
    session: duckdb.DuckDBPyConnection,
    *,
    texts: str,
    embedded: str,
    clustered: str | None,
    model: str,
    threshold: float,
) -> pyarrow.Table:
    """Find the clusters of the texts that have none, and of those for which that changes theirs.

    Args:
        session: dbt's connection.
        texts: int_texts, as a FROM clause takes it.
        embedded: text_embeddings, the same way.
        clustered: int_text_clusters, the same way; None where it is not built yet.
        model: the model whose vectors count.
        threshold: the least cosine similarity of a text to the leader of its cluster.

    Returns:
        the rows that are new or changed, with the columns of SCHEMA; of a text that has gone, its
        key and NULLs.
    """
    cursor = session.cursor()
    none = (
        "(select '' as kind, null::ubigint as text_id, null::bigint as text_number, "
        "null::ubigint as cluster_id, null::double as similarity, '' as model, "
        "null::double as threshold limit 0)"
    )
    names = {"texts": texts, "embedded": embedded, "clustered": clustered or none}
    script = files("orb_learning").joinpath("sql/texts_to_cluster.sql").read_text("utf-8")
    for statement in script.format(**names).split(";\n")[:2]:
        values = {"model": model, "threshold": threshold} if "$model" in statement else None
        cursor.execute(statement, values)
    parts = [SCHEMA.empty_table(), cursor.sql("from texts_gone").to_arrow_table()]
    kinds = cursor.sql(
        "select kind from texts_to_cluster group by kind having bool_or(leader_number is null)"
    ).fetchall()
    for (kind,) in kinds:
        rows = _changed_rows(cursor, embedded, kind, threshold)
        sys.stderr.write(f"int_text_clusters: {rows.num_rows:,} {kind} texts\n")
        for name, value in (("kind", kind), ("model", model), ("threshold", threshold)):
            rows = rows.append_column(name, pyarrow.repeat(value, rows.num_rows))
        parts.append(rows)
    return pyarrow.concat_tables(parts, promote_options="default")


def _changed_rows(
    cursor: duckdb.DuckDBPyConnection, embedded: str, kind: str, threshold: float
) -> pyarrow.Table:
    import numpy

    texts = cursor.execute(
        "select text_id, text_number, coalesce(leader_number, -1) as leader_number, "
        "coalesce(similarity, 0) as similarity "
        "from texts_to_cluster where kind = ? order by text_number",
        [kind],
    ).fetchnumpy()
    ids, numbers = texts["text_id"], texts["text_number"]
    is_known = texts["leader_number"] >= 0
    leaders = numpy.where(is_known, numpy.searchsorted(numbers, texts["leader_number"]), -1)
    products = numpy.where(is_known, numpy.rint(texts["similarity"] * ONE), 0)
    new_leaders, new_products = assign(
        leaders, products, lambda places: _vectors(cursor, embedded, numbers[places]), threshold
    )
    changed = numpy.flatnonzero((new_leaders != leaders) | (new_products != products))
    return pyarrow.table(
        {
            "text_id": ids[changed],
            "text_number": numbers[changed],
            "cluster_id": ids[new_leaders[changed]],
            "similarity": new_products[changed] / ONE,
        }
    )


def _vectors(cursor: duckdb.DuckDBPyConnection, embedded: str, numbers: Array) -> Array:
    """Read the vectors of texts by their numbers, ascending; as whole multiples of 1 / SCALE."""
    import numpy

    vectors = numpy.zeros((len(numbers), DIMENSIONS), numpy.int16)
    if not len(numbers):
        return vectors
    cursor.register("wanted_numbers", pyarrow.table({"text_number": numbers}))
    reader = cursor.sql(
        f"select text_number, embedding from {embedded} "  # noqa: S608 (a relation of dbt's)
        "where text_number between ? and ? "
        "and text_number in (select text_number from wanted_numbers)",
        params=[int(numbers[0]), int(numbers[-1])],
    ).to_arrow_reader(LEADERS_AT_ONCE)
    for batch in reader:
        places = numpy.searchsorted(numbers, batch.column(0).to_numpy())
        values = batch.column(1).flatten().to_numpy().reshape(-1, DIMENSIONS)
        vectors[places] = numpy.rint(values * SCALE)
    cursor.unregister("wanted_numbers")
    return vectors


def assign(
    leaders: Array, products: Array, read: Callable[[Array], Array], threshold: float
) -> tuple[Array, Array]:
    """Give each text its leader.

    Args:
        leaders: for each text, in their order, the place of its leader as it was; -1 where it has
            none. A leader's is its own.
        products: what vector and leader's vector multiply to, as it was.
        read: the vectors of the texts at these places (ascending), int16, multiples of 1 / SCALE.
        threshold: the least cosine similarity.

    Returns:
        leaders and products as they are now.
    """
    import numpy

    least = threshold * ONE
    places = numpy.arange(len(leaders))
    was_leader = leaders == places
    is_waiting = leaders < 0
    is_lost = numpy.zeros(len(leaders), bool)
    leaders, products = leaders.copy(), products.copy()
    if not is_waiting.any():
        return leaders, products
    first, last = numpy.flatnonzero(is_waiting)[[0, -1]]
    first -= first % TEXTS_AT_ONCE

    standing, gained = _Leaders(), _Leaders()
    for start in range(0, first, LEADERS_AT_ONCE):
        before = places[start : min(start + LEADERS_AT_ONCE, first)]
        before = before[was_leader[before]]
        standing.add(before, read(before))
    for start in range(first, len(leaders), TEXTS_AT_ONCE):
        here = places[start : start + TEXTS_AT_ONCE]
        if not gained.count:
            if start > last:
                break
            if not is_waiting[here].any():
                before = here[was_leader[here]]
                standing.add(before, read(before))
                continue
        # Texts to look at among all leaders; whoever is led from within this block is one of them,
        # as that leader may be lost on the way. The others are compared with gained leaders only.
        is_led_here = (leaders[here] >= start) & ~was_leader[here]
        is_asking = is_waiting[here] | is_lost[leaders[here]] | is_led_here
        vectors = read(here)
        best = numpy.where(is_asking | was_leader[here], -1, leaders[here])
        most = numpy.where(best < 0, -ONE, products[here])
        for those, among in ((is_asking, standing), (~is_asking, gained)):
            nearest, product = among.nearest(vectors[those])
            is_nearer = (product > most[those]) | (
                (product == most[those]) & (nearest < best[those])
            )
            best[those] = numpy.where(is_nearer, nearest, best[those])
            most[those] = numpy.where(is_nearer, product, most[those])

        between = _products(vectors, vectors)
        for n, place in enumerate(here):
            if most[n] >= least:
                leaders[place], products[place] = best[n], most[n]
                is_lost[place] = was_leader[place]
                continue
            leaders[place], products[place] = place, ONE
            later = slice(n + 1, None)
            is_nearer = between[n, later] > most[later]
            most[later][is_nearer] = between[n, later][is_nearer]
            best[later][is_nearer] = place
        is_leader = leaders[here] == here
        standing.add(here[is_leader], vectors[is_leader])
        is_gained = is_leader & ~was_leader[here]
        gained.add(here[is_gained], vectors[is_gained])
    return leaders, products


class _Leaders:
    """Vectors of leaders, in the order of their places."""

    def __init__(self) -> None:
        self.count = 0
        self._parts: list[tuple[Array, Array]] = []

    def add(self, places: Array, vectors: Array) -> None:
        import numpy

        self.count += len(places)
        if self._parts and len(self._parts[-1][0]) < LEADERS_AT_ONCE:
            last_places, last_vectors = self._parts.pop()
            places = numpy.concatenate([last_places, places])
            vectors = numpy.concatenate([last_vectors, vectors])
        self._parts.append((places, vectors))

    def nearest(self, vectors: Array) -> tuple[Array, Array]:
        """Return for each vector the place of the nearest leader, and what they multiply to.

        Of several, it is the first; without leaders, -1 and less than any product.
        """
        import numpy

        best = numpy.full(len(vectors), -1)
        most = numpy.full(len(vectors), -2.0 * ONE)
        if not len(vectors):
            return best, most
        for places, leaders in self._parts:
            if not len(places):
                continue
            products = _products(vectors, leaders)
            nearest = products.argmax(axis=1)
            product = products[numpy.arange(len(vectors)), nearest]
            is_nearer = product > most
            best[is_nearer] = places[nearest[is_nearer]]
            most[is_nearer] = product[is_nearer]
        return best, most


def _products(one: Array, other: Array) -> Array:
    import numpy

    products: Array = one.astype(numpy.float32) @ other.astype(numpy.float32).T
    numpy.minimum(products, ONE, out=products)
    return products
