"""The rows of the dbt model int_text_clusters: which texts say nearly the same.

Leaders follow the order of the texts' ids, which are hashes of the texts. So the clusters are a
function of the texts and their vectors: neither the time nor the number of the builds counts, and
a text that has gone leaves no trace.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from typing import TYPE_CHECKING

import duckdb
import pyarrow

from orb_learning.embeddings.leader_clusters import assign
from orb_learning.embeddings.near_pairs import ONE, SCALE, Vectors
from orb_learning.record import DIMENSIONS
from orb_learning.store import written_here

if TYPE_CHECKING:
    from orb_learning.embeddings.near_pairs import Array

DEFINITION = 2
"""Of the clusters. Another number has every build find all clusters again."""

VECTORS_AT_ONCE = 8_192

SCHEMA = pyarrow.schema(
    {
        "kind": pyarrow.string(),
        "text_id": pyarrow.uint64(),
        "text_number": pyarrow.int64(),
        "cluster_id": pyarrow.uint64(),
        "similarity": pyarrow.float64(),
        "model": pyarrow.string(),
        "threshold": pyarrow.float64(),
        "definition": pyarrow.int32(),
    }
)

NO_CLUSTERS = """
    select
        '' as kind, null::ubigint as text_id, null::bigint as text_number,
        null::ubigint as cluster_id, null::double as similarity, '' as model,
        null::double as threshold, null::integer as definition
    where false
"""


def new_rows(
    session: duckdb.DuckDBPyConnection,
    *,
    texts: str,
    embedded: str,
    clustered: str | None,
    model: str,
    threshold: float,
) -> pyarrow.Table | duckdb.DuckDBPyRelation:
    """Find the clusters of the texts that have none, and of those for which that changes theirs.

    Args:
        session: dbt's connection.
        texts: int_known_texts, as a FROM clause takes it.
        embedded: text_embeddings, the same way.
        clustered: int_text_clusters, the same way; None where it is not built yet.
        model: the model whose vectors count.
        threshold: the least cosine similarity of a text to the leader of its cluster.

    Returns:
        the rows that are new or changed, with the columns of SCHEMA; of a text that has gone, its
        key and NULLs.
    """
    cursor = session.cursor()
    _find_texts(cursor, texts, embedded, clustered, model, threshold)
    parts = [SCHEMA.empty_table(), cursor.sql("from texts_gone").to_arrow_table()]
    kinds = cursor.sql(
        "select kind from texts_to_cluster group by kind having bool_or(leader_id is null)"
    ).fetchall()
    for (kind,) in kinds:
        rows = _changed_rows(cursor, embedded, kind, model, threshold)
        sys.stderr.write(f"int_text_clusters: {rows.num_rows:,} {kind} texts\n")
        same = {"kind": kind, "model": model, "threshold": threshold, "definition": DEFINITION}
        for name, value in same.items():
            column = pyarrow.repeat(pyarrow.scalar(value, SCHEMA.field(name).type), rows.num_rows)
            rows = rows.append_column(name, column)
        parts.append(rows)
    return written_here(session, pyarrow.concat_tables(parts, promote_options="default"))


def _find_texts(
    cursor: duckdb.DuckDBPyConnection,
    texts: str,
    embedded: str,
    clustered: str | None,
    model: str,
    threshold: float,
) -> None:
    """Make the temporary tables texts_to_cluster and texts_gone."""
    # A table that an older version made has no column `definition`: its rows get NULL.
    relation = f"({NO_CLUSTERS})"
    if clustered is not None:
        relation = f"(from {clustered} union all by name {NO_CLUSTERS})"
    names = {"texts": texts, "embedded": embedded, "clustered": relation}
    script = files(__package__).joinpath("texts_to_cluster.sql").read_text("utf-8")
    values = {"model": model, "threshold": threshold, "definition": DEFINITION}
    for statement in script.format(**names).split(";\n")[:2]:
        cursor.execute(statement, values if "$model" in statement else None)


def _changed_rows(
    cursor: duckdb.DuckDBPyConnection, embedded: str, kind: str, model: str, threshold: float
) -> pyarrow.Table:
    import numpy
    from threadpoolctl import threadpool_limits

    texts = cursor.execute(
        "select text_id, text_number, leader_id is not null as is_known, "
        "coalesce(leader_id, 0) as leader_id, coalesce(similarity, 0) as similarity "
        "from texts_to_cluster where kind = ? order by text_id",
        [kind],
    ).fetchnumpy()
    ids, is_known = texts["text_id"], texts["is_known"]
    leaders = numpy.where(is_known, numpy.searchsorted(ids, texts["leader_id"]), -1)
    products = numpy.where(is_known, numpy.rint(texts["similarity"] * ONE), 0)
    exact = _read(cursor, embedded, model, ids)
    # The library's own threads would wait for each other at each of the small blocks.
    with threadpool_limits(1, "blas"):
        new_leaders, new_products = assign(Vectors(exact, threshold), leaders, products)
    changed = numpy.flatnonzero((new_leaders != leaders) | (new_products != products))
    return pyarrow.table(
        {
            "text_id": ids[changed],
            "text_number": texts["text_number"][changed],
            "cluster_id": ids[new_leaders[changed]],
            "similarity": new_products[changed] / ONE,
        }
    )


def _read(cursor: duckdb.DuckDBPyConnection, embedded: str, model: str, ids: Array) -> Array:
    """Read the vectors of these texts, ids ascending, as whole multiples of 1 / SCALE."""
    import numpy

    vectors = numpy.zeros((len(ids), DIMENSIONS), numpy.int16)
    reader = cursor.sql(
        f"select text_id, embedding from {embedded} "  # noqa: S608 (a relation of dbt's)
        "where model = ? and embedding is not null",
        params=[model],
    ).to_arrow_reader(VECTORS_AT_ONCE)
    for batch in reader:
        found = batch.column(0).to_numpy()
        places = numpy.minimum(numpy.searchsorted(ids, found), len(ids) - 1)
        is_wanted = ids[places] == found
        values = batch.column(1).flatten().to_numpy().reshape(-1, DIMENSIONS)
        vectors[places[is_wanted]] = numpy.rint(values[is_wanted] * SCALE)
    return vectors
