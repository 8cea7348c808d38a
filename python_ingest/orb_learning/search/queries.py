"""Which executions were like a task and what solved them, by the vectors of their texts.

The questions are table functions in the database, made by `orb build` (models/search), so that the
package, analysts and other tools ask the same.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from orb_learning.embeddings import DEFAULT_MODEL, Encoder, is_installed, query_encoder
from orb_learning.errors import EmbeddingError
from orb_learning.formats import recorded
from orb_learning.search.vector_index import VectorIndex, open_index
from orb_learning.store import built_by_this_version, connect, rows_as_dicts, shortened

MOST_RESULTS = 1_000
TEXTS_OF_TASKS = ("task_description", "best_solution")
"""The columns of ``similar_executions`` that may be of any length."""
TEXTS_OF_LATEST = ("task_type", "repo", "model_tier", "pool_type", "solution_summary")
"""The fields of its column ``latest`` that may be of any length."""
CANDIDATES_PER_RESULT = 20
"""Texts that an index is asked for, a result: some are no tasks, or too old."""
INDEX_ROUNDING = 1e-4
"""By how much a similarity from the index, whose vectors have 16 bits a number, may be off."""
MOST_NEWER_TEXTS = 10_000
"""Texts that came after the index was built, beyond which comparing all is as quick."""

_loading = threading.Lock()
"""Threads that ask for a model at once wait for one load of it."""


def known_vector(
    connection: duckdb.DuckDBPyConnection, text: str, model: str
) -> Sequence[float] | None:
    """Return the vector of a text that the database has already, None where it has not.

    Raises:
        EmbeddingError: the text is empty, or the database's vectors are of another model.
        NotBuiltError: nothing has been built, or by another version.
    """
    if not text.strip():
        raise EmbeddingError("the text to search for is empty")
    rows = _rows(
        connection,
        "select embedding from known_vector($text, wanted_model := $model)",
        {"text": text, "model": model},
    )
    if rows:
        vector: Sequence[float] = rows[0]["embedding"]
        return vector
    rows = _rows(connection, "select distinct model from text_embeddings order by all")
    models = [row["model"] for row in rows]
    if not models and not _rows(connection, "select 1 as found from int_texts limit 1"):
        raise EmbeddingError(
            "no execution stands in the database, so there is no text to compare with; "
            "`orb status` says what became of the records"
        )
    if not models:
        first = "" if is_installed() else "`pip install 'orb-learning[embeddings]'`, then "
        raise EmbeddingError(
            f"no text has been embedded yet: run {first}`orb build` with "
            f"ORB_LEARNING__EMBEDDINGS=on"
        )
    if model not in models:
        raise EmbeddingError(
            f"the texts were embedded by {', '.join(models)}, and {model} is to search them; set "
            f"ORB_LEARNING__EMBEDDING_MODEL to the same for both and run `orb build`"
        )
    return None


def vector_of(database_path: Path, text: str, model: str) -> Sequence[float]:
    """Return the vector of a text: from the database, which is not kept open, else from the model.

    Raises:
        EmbeddingError: the text is empty, or the model cannot be used.
        DatabaseError: the database cannot be read.
    """
    with connect(database_path, read_only=True) as connection:
        vector = known_vector(connection, text, model)
    return new_vector(text, model) if vector is None else vector


def new_vector(text: str, model: str) -> Sequence[float]:
    """Return the vector of a text that the database does not have.

    The first one by another model than the default takes seconds, because it imports torch.

    Raises:
        EmbeddingError: the model cannot be used.
    """
    vector: Sequence[float]
    if model == DEFAULT_MODEL:
        with _loading:
            query = query_encoder()
        vector = query.encode(text).tolist()
    else:
        with _loading:
            encoder = _encoder(model)
        vector = encoder.encode([text])[0].tolist()
    return vector


def similar_executions(
    connection: duckdb.DuckDBPyConnection,
    vector: Sequence[float],
    *,
    model: str,
    limit: int,
    days_back: int | None,
    threshold: float | None,
    repo: str | None = None,
    tier: str | None = None,
    success: bool | None = None,
    now: datetime | None = None,
    index_folder: Path | None = None,
    longest_text: int | None = None,
) -> list[dict[str, Any]]:
    """Return the distinct task texts like a vector, the most similar first.

    Args:
        connection: of the learning database.
        vector: 384 floats of unit length.
        model: the model that it is of.
        limit: the most texts, 1 to 1,000.
        days_back: how many days an execution may be old; None for any.
        threshold: the least cosine similarity, -1 to 1; None for the nearest, however near.
        repo: only executions in this repository.
        tier: only those by this model tier.
        success: only those that succeeded, or that failed.
        now: naive UTC; the present time if None.
        index_folder: an index there finds the candidates where nothing but days is wanted; every
            vector is compared if None, and where the candidates are not enough.
        longest_text: characters of a text that are fetched; all if None.

    Raises:
        ValueError: an argument is out of its range.
        NotBuiltError: nothing has been built, or by another version.
    """
    parameters = {
        **_parameters(vector, model, limit, days_back, threshold, repo, now),
        "wanted_tier": tier,
        "wanted_success": success,
    }
    # Where few executions are wanted, comparing their texts alone is quicker.
    if index_folder is not None and repo is None and tier is None and success is None:
        index = open_index(index_folder, connection, model)
        rows = None if index is None else _by_index(connection, index, parameters, longest_text)
        if rows is not None:
            return rows
    call = _call("similar_executions", parameters, _cut(longest_text))
    return _rows(connection, call, parameters)


def _by_index(
    connection: duckdb.DuckDBPyConnection,
    index: VectorIndex,
    parameters: dict[str, Any],
    longest_text: int | None,
) -> list[dict[str, Any]] | None:
    """Return what the exact search would, as far as the index knows; None where it may not do."""
    count = CANDIDATES_PER_RESULT * parameters["at_most"]
    found = index.search(parameters["vector"], count)
    newer = _rows(
        connection,
        "select text_id from text_embeddings where text_number > $last limit $most",
        {"last": index.last_number, "most": MOST_NEWER_TEXTS + 1},
    )
    if len(newer) > MOST_NEWER_TEXTS:
        return None
    candidates = [text_id for text_id, _ in found] + [row["text_id"] for row in newer]
    parameters = {**parameters, "wanted_texts": candidates}
    rows = _rows(connection, _call("similar_among", parameters, _cut(longest_text)), parameters)
    # What the index did not return is no nearer than the last that it did, but for its rounding.
    unseen = found[-1][1] + INDEX_ROUNDING if len(found) == count else -1.0
    is_full = len(rows) == parameters["at_most"] and rows[-1]["similarity"] >= unseen
    least = parameters["least_similarity"]
    return rows if is_full or (least is not None and unseen < least) else None


def similar_solutions(
    connection: duckdb.DuckDBPyConnection,
    vector: Sequence[float],
    *,
    of_errors: bool,
    model: str,
    limit: int,
    days_back: int | None,
    threshold: float | None,
    repo: str | None = None,
    now: datetime | None = None,
    longest_text: int | None = None,
) -> list[dict[str, Any]]:
    """Return what solved tasks like a vector, the best first.

    A row is a cluster of nearly identical solutions. It is ranked by the similarity of the nearest
    task that it solved, times the lower bound of the 95 % Wilson interval of its success rate on
    all the tasks that are similar enough, each of them one trial.

    Args:
        connection: of the learning database.
        vector: 384 floats of unit length.
        of_errors: whether the vector is of an error message, and not of a task.
        model: the model that it is of.
        limit: the most rows, 1 to 1,000.
        days_back: how many days an execution may be old; None for any.
        threshold: the least cosine similarity, -1 to 1; None for the nearest, however near.
        repo: only executions in this repository.
        now: naive UTC; the present time if None.
        longest_text: characters of a text that are fetched; all if None.

    Raises:
        ValueError: an argument is out of its range.
        NotBuiltError: nothing has been built, or by another version.
    """
    parameters = _parameters(vector, model, limit, days_back, threshold, repo, now)
    function = "solutions_of_similar_errors" if of_errors else "similar_solutions"
    return _rows(connection, _call(function, parameters, _cut_solutions(longest_text)), parameters)


def _parameters(
    vector: Sequence[float],
    model: str,
    limit: int,
    days_back: int | None,
    threshold: float | None,
    repo: str | None,
    now: datetime | None,
) -> dict[str, Any]:
    """Return what every table function takes, by the names of its parameters."""
    if not 1 <= limit <= MOST_RESULTS:
        raise ValueError(f"limit = {limit}: must be 1 to {MOST_RESULTS:,}")
    if threshold is not None and not -1 <= threshold <= 1:
        raise ValueError(f"threshold = {threshold}: must be -1 to 1")
    if days_back is not None and not 1 <= days_back <= 36_500:
        raise ValueError(f"days_back = {days_back}: must be 1 to 36,500")
    return {
        "vector": vector,
        "at_most": limit,
        "least_similarity": threshold,
        "days_back": days_back,
        "wanted_repo": repo,
        "wanted_model": model,
        "moment": now,
    }


def _call(function: str, parameters: dict[str, Any], cut: str) -> str:
    named = (f"{name} := ${name}" for name in parameters if name != "vector")
    # Named, so that it is known to be missing where an older version built the function.
    return (
        f"select * exclude (has_enough_samples) {cut}, has_enough_samples "  # noqa: S608 (no caller's)
        f"from {function}($vector, {', '.join(named)})"
    )


def _cut_solutions(longest_text: int | None) -> str:
    if longest_text is None:
        return ""
    texts = (
        f"{shortened(text, longest_text)} as {text}"
        for text in ("solution_summary", "task_description")
    )
    repos = f"list_transform(repos[:20], lambda part: {shortened('part', longest_text)}) as repos"
    return f"replace ({', '.join(texts)}, {repos})"


def _cut(longest_text: int | None) -> str:
    if longest_text is None:
        return ""
    texts = [f"{shortened(text, longest_text)} as {text}" for text in TEXTS_OF_TASKS]
    fields = (f"{name} := {shortened(f'latest.{name}', longest_text)}" for name in TEXTS_OF_LATEST)
    return f"replace ({', '.join(texts)}, struct_update(latest, {', '.join(fields)}) as latest)"


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    with built_by_this_version():
        rows = rows_as_dicts(connection.execute(sql, parameters or {}))
    for latest in filter(None, (row.get("latest") for row in rows)):
        for name in ("duration_seconds", "actual_cost"):
            if latest[name] is not None:
                latest[name] = recorded(latest[name])
    return rows


@cache
def _encoder(model: str) -> Encoder:
    return Encoder(model)
