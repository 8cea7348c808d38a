"""An approximate index of the vectors of text_embeddings, beside the database.

It is derived from the table and can be deleted at any time. A manifest says which rows it holds, by
a fingerprint that DuckDB computes anew whenever the index is opened: an index that does not hold
exactly the table's rows up to its last number, or whose file is not the one that was written, is
not used. Rows with larger numbers came later; they are searched beside it until they are added.

The index file has a new name each time and the manifest, which names it, is renamed into its place:
whoever reads finds the old index or the new one, and a kill leaves the old one.

The library, faiss, is in the extra ``index``; it is imported only where an index is used.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib
import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from orb_learning.errors import VectorIndexError
from orb_learning.vectors import DIMENSIONS

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]
    Parts = list[tuple[Array, Array]]
    """Ids and vectors, part after part."""

log = logging.getLogger(__name__)

FORMAT = 1
MANIFEST = "manifest.json"

FLAT_BELOW = 20_000
"""Vectors below which all are compared, which takes a millisecond; from there on a graph (HNSW) is
searched. Lists (IVF) are built faster, but texts that differ in single words lie in no clusters: a
third of all lists hold 95 % of the nearest ten."""

LINKS = 32
"""Neighbours of a vector in the graph."""

BUILD_BREADTH = 80
"""Candidates that are looked at to find a new vector's neighbours."""

LEAST_RECALL = 0.995
"""Of the ten nearest, measured with vectors before they are added: a vector in the graph finds its
neighbours by its own links, and would make 0.94 look like 0.99."""

MARGIN = 2
"""Times the candidates that LEAST_RECALL needs are looked at, because new texts may be unlike the
others: a thousand, a third of them written by people, found 0.984 without it and 0.993 with it."""

MEASURED_VECTORS = 256
NEAREST = 10
FIRST_BREADTH, LAST_BREADTH = 32, 4_096
"""Candidates of a search: as many as LEAST_RECALL needs are chosen, doubling from the first."""

GROWTH_UNTIL_MEASURED = 2
"""By what factor an index grows before the breadth of a search is chosen anew."""

BATCH_ROWS = 8_192
"""Rows that are read at a time: 12 MB of vectors."""


@dataclass(frozen=True)
class IndexResult:
    """What ``build_or_update`` did."""

    vectors: int
    """That the index holds now."""
    added: int
    rebuilt_because: str | None
    """Why it was built from nothing; None if it was only added to."""
    seconds: float

    @property
    def rebuilt(self) -> bool:
        """Whether it was built from nothing."""
        return self.rebuilt_because is not None


@dataclass(frozen=True)
class _Manifest:
    format: int
    model: str
    database_id: str
    last_number: int
    """The largest text_number that the index knows."""
    row_count: int
    """The model's rows up to there, those without a vector too."""
    fingerprint: int
    vector_count: int
    measured_count: int
    """Vectors for which the breadth of its search was chosen; 0 if it compares all."""
    file: str
    file_sha256: str


class _UnusableError(Exception):
    """Why an index is not used."""


class VectorIndex:
    """An index that fits the table of the connection that it was opened with.

    It does so as long as nobody writes the database, so as long as a read-only connection stays
    open. Open it again with the next connection: the file is read only once in a process.
    """

    def __init__(self, index: Any, manifest: _Manifest):
        self._index = index
        self._manifest = manifest

    @property
    def last_number(self) -> int:
        """Rows with a larger text_number are not in it, and have to be searched beside it."""
        return self._manifest.last_number

    @property
    def vectors(self) -> int:
        """How many vectors it holds."""
        return self._manifest.vector_count

    def search(self, vector: Sequence[float] | Array, count: int) -> list[tuple[int, float]]:
        """Return the text_ids of nearest vectors and their cosine similarities, nearest first.

        Args:
            vector: 384 numbers, of unit length.
            count: how many at most.
        """
        import numpy

        if not self.vectors:
            return []
        query = numpy.ascontiguousarray(vector, numpy.float32).reshape(1, DIMENSIONS)
        wanted = min(count, self.vectors)
        with _one_thread():
            similarities, ids = self._index.search(
                query, wanted, params=_breadth(self._index, wanted)
            )
        return [
            (int(text_id), float(similarity))
            # faiss has signed numbers; where it finds too few, it fills up with the least float.
            for text_id, similarity in zip(ids[0].view(numpy.uint64), similarities[0], strict=True)
            if similarity >= -2
        ]


def folder_of(database: Path) -> Path:
    """Return the folder of a database's index."""
    return database.with_name(f"{database.name}.index")


def build_or_update(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    model: str,
    *,
    when_read: Callable[[], object] = lambda: None,
) -> IndexResult:
    """Add the vectors that the index does not hold yet; build it anew where it does not fit.

    Who builds while another does waits, and finds the other's index. The new vectors are in memory
    together with the index, 768 bytes each.

    Args:
        connection: to a database with text_embeddings; it is only read.
        folder: of the index; made if it is missing.
        model: whose vectors to take.
        when_read: called as soon as the database is not needed any more, for example to close it:
            building takes minutes for a million texts, and nobody can write while it is open.

    Raises:
        VectorIndexError: faiss or the table is missing, or the index cannot be written.
    """
    began = time.perf_counter()
    faiss = _faiss()
    with _only_builder(folder):
        with _snapshot(connection) as cursor:
            try:
                table = _Table(cursor, model)
            except _UnusableError as error:
                raise VectorIndexError(
                    f"there is nothing to index: {error}; `dbt build`"
                ) from error
            count = table.vector_count(table.last_number)
            reason = None
            try:
                index, before = _load(folder)
                table.check_fits(before)
                _check_kind(before, count)
                if table.vector_count(before.last_number) != before.vector_count:
                    raise _UnusableError("vectors that it knows are gone")
            except _UnusableError as error:
                reason = str(error)
                index, before = _empty(faiss, count), table.manifest(last_number=0)
            manifest = table.manifest(
                last_number=table.last_number,
                vector_count=count,
                measured_count=before.measured_count,
            )
            new = list(table.batches(after=before.last_number, rounded=_has_graph(index)))
        when_read()
        if reason is None and manifest == replace(before, file="", file_sha256=""):
            return IndexResult(count, 0, None, time.perf_counter() - began)
        if _has_graph(index) and count >= GROWTH_UNTIL_MEASURED * before.measured_count:
            new, held_out = _hold_out(new)
            _add(index, new)
            _choose_breadth(faiss, index, held_out)
            _add(index, held_out)
            manifest = replace(manifest, measured_count=count)
        else:
            _add(index, new)
        if index.ntotal != count:
            raise VectorIndexError(f"{count} vectors were to be indexed, {index.ntotal} are")
        _publish(faiss, folder, index, manifest)
    return IndexResult(count, count - before.vector_count, reason, time.perf_counter() - began)


def open_index(
    folder: Path, connection: duckdb.DuckDBPyConnection, model: str
) -> VectorIndex | None:
    """Return the index if it can be trusted with the table; else None, and say why in the log."""
    index, reason = find_index(folder, connection, model)
    if reason is not None:
        log.info("vector index not used: %s", reason)
    return index


def find_index(
    folder: Path, connection: duckdb.DuckDBPyConnection, model: str
) -> tuple[VectorIndex | None, str | None]:
    """Return the index if it can be trusted with the table, else why it cannot."""
    try:
        manifest = _read_manifest(folder)
        with _snapshot(connection) as cursor:
            # Before the file, which takes a second for a million vectors.
            _Table(cursor, model).check_fits(manifest)
            index, found = _loaded(folder)
            if found != manifest:
                # Another was put in its place meanwhile.
                _Table(cursor, model).check_fits(found)
    except _UnusableError as error:
        return None, str(error)
    return VectorIndex(index, found), None


# --- The table ------------------------------------------------------------------------------------


class _Table:
    """The rows of text_embeddings that belong in the index, in one snapshot."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, model: str):
        self._cursor = cursor
        self.model = model
        try:
            (identity,) = self._row("select any_value(database_id)::varchar from raw.database_id")
            (last,) = self._row("select coalesce(max(text_number), 0) from text_embeddings")
        except duckdb.CatalogException as error:
            raise _UnusableError(str(error).splitlines()[0]) from error
        self.database_id = str(identity)
        self.last_number = int(last)

    def check_fits(self, manifest: _Manifest) -> None:
        """Raise _UnusableError unless an index of this manifest holds the rows up to its last."""
        if manifest.model != self.model:
            raise _UnusableError(f"it is of the model {manifest.model!r}, not of {self.model!r}")
        if manifest.database_id != self.database_id:
            raise _UnusableError("it is of another database")
        if self.fingerprint(manifest.last_number) != (manifest.row_count, manifest.fingerprint):
            raise _UnusableError("texts that it knows were deleted or embedded anew")

    def fingerprint(self, last_number: int) -> tuple[int, int]:
        """Return count and exclusive or of hashes of the rows up to a number.

        A vector is not hashed, which would take a second for a million: a row whose vector is made
        anew has another embedded_at.
        """
        rows, fingerprint = self._row(
            "select count(*), coalesce(bit_xor(hash(text_number, text_id, embedded_at)), 0) "
            "from text_embeddings where model = ? and text_number <= ?",
            self.model,
            last_number,
        )
        return int(rows), int(fingerprint)

    def manifest(
        self, *, last_number: int, vector_count: int = 0, measured_count: int = 0
    ) -> _Manifest:
        """Return the manifest of an index of the rows up to a number, without its file."""
        rows, fingerprint = self.fingerprint(last_number)
        return _Manifest(
            format=FORMAT,
            model=self.model,
            database_id=self.database_id,
            last_number=last_number,
            row_count=rows,
            fingerprint=fingerprint,
            vector_count=vector_count,
            measured_count=measured_count,
            file="",
            file_sha256="",
        )

    def vector_count(self, last_number: int) -> int:
        """Return how many rows up to a number have a vector."""
        (count,) = self._row(
            "select count(*) from text_embeddings "
            "where model = ? and embedding is not null and text_number <= ?",
            self.model,
            last_number,
        )
        return int(count)

    def batches(self, *, after: int, rounded: bool) -> Iterator[tuple[Array, Array]]:
        """Yield ids, as faiss has them, and vectors of the rows after a number.

        Args:
            after: the largest number that is left out.
            rounded: whether to return floats of 16 bits, of which a graph consists anyway.
        """
        import numpy

        rows = self._cursor.sql(
            "select text_id, embedding from text_embeddings "
            "where model = ? and embedding is not null and text_number > ?",
            params=[self.model, after],
        )
        for batch in rows.to_arrow_reader(BATCH_ROWS):
            ids = batch.column(0).to_numpy().view(numpy.int64)
            vectors = batch.column(1).flatten().to_numpy().reshape(-1, DIMENSIONS)
            yield ids, vectors.astype(numpy.float16) if rounded else vectors

    def _row(self, query: str, *values: object) -> tuple[Any, ...]:
        # All rows: a cursor with an unfinished result takes no other query.
        (row,) = self._cursor.execute(query, list(values)).fetchall()
        return tuple(row)


@contextmanager
def _snapshot(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a cursor that sees one state of the database, whatever the connection is doing."""
    with connection.cursor() as cursor:
        cursor.execute("begin transaction read only")
        try:
            yield cursor
        finally:
            cursor.rollback()


# --- faiss ----------------------------------------------------------------------------------------


def _faiss() -> Any:
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise VectorIndexError(
            "the index needs `pip install 'orb-learning[index]'`; without it, search is exact"
        ) from error


@contextmanager
def _one_thread() -> Iterator[None]:
    """Search by this thread alone.

    It is a millisecond's work. Where others use the processors, waiting until each of several
    threads has had one takes up to a hundred.
    """
    faiss = _faiss()
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _empty(faiss: Any, count: int) -> Any:
    """Return an index without vectors, made for so many."""
    metric = faiss.METRIC_INNER_PRODUCT
    if count < FLAT_BELOW:
        return faiss.IndexIDMap(faiss.IndexFlat(DIMENSIONS, metric))
    # 16 bits a number: half the file and memory, and similarities that are right to 5 places.
    half = faiss.ScalarQuantizer.QT_fp16
    graph = faiss.IndexHNSWSQ(DIMENSIONS, half, LINKS, metric)
    graph.hnsw.efConstruction = BUILD_BREADTH
    graph.is_trained = True
    index = faiss.IndexIDMap(graph)
    graph.this.disown()
    index.own_fields = True
    return index


def _check_kind(manifest: _Manifest, count: int) -> None:
    """Raise _UnusableError when the table has outgrown an index without a graph."""
    if not manifest.measured_count and count >= FLAT_BELOW:
        raise _UnusableError(f"it was made for less than {FLAT_BELOW:,} vectors")


def _has_graph(index: Any) -> bool:
    return hasattr(_inner(index), "hnsw")


def _inner(index: Any) -> Any:
    return _faiss().downcast_index(index.index)


def _breadth(index: Any, count: int) -> Any:
    """Return for how many candidates to search a graph: more than chosen when more are wanted."""
    if not _has_graph(index):
        return None
    chosen = _inner(index).hnsw.efSearch
    wider = round(chosen * max(1, count / NEAREST) ** 0.5)
    return _faiss().SearchParametersHNSW(efSearch=max(wider, 2 * count))


def _add(index: Any, parts: Parts) -> None:
    for ids, vectors in parts:
        index.add_with_ids(vectors.astype("float32"), ids)


def _hold_out(parts: Parts) -> tuple[Parts, Parts]:
    """Part the vectors in those that are added at once and some to measure with before."""
    import numpy

    every = slice(0, None, max(1, sum(len(ids) for ids, _ in parts) // MEASURED_VECTORS))
    held_out = [(ids[every], vectors[every]) for ids, vectors in parts]
    others = [
        (numpy.delete(ids, every), numpy.delete(vectors, every, axis=0)) for ids, vectors in parts
    ]
    return others, held_out


def _choose_breadth(faiss: Any, index: Any, held_out: Parts) -> None:
    """Let a search look at as few candidates as find LEAST_RECALL of what comparing all does."""
    import numpy

    graph = _inner(index)
    queries = numpy.concatenate([vectors for _, vectors in held_out]).astype(numpy.float32)

    def nearest(searched: Any) -> list[set[int]]:
        return [set(row) for row in searched.search(queries, NEAREST)[1].tolist()]

    exact = nearest(faiss.downcast_index(graph.storage))
    graph.hnsw.efSearch = FIRST_BREADTH
    while graph.hnsw.efSearch < LAST_BREADTH:
        found = nearest(graph)
        common = sum(len(a & b) for a, b in zip(exact, found, strict=True))
        if common >= LEAST_RECALL * NEAREST * len(queries):
            break
        graph.hnsw.efSearch *= 2
    graph.hnsw.efSearch *= MARGIN


# --- The files ------------------------------------------------------------------------------------

_kept: dict[Path, tuple[_Manifest, tuple[int, int], Any]] = {}
"""The index that was read last from each folder, of which file (size and time) and manifest."""
_keeping = threading.Lock()


def _read_manifest(folder: Path) -> _Manifest:
    try:
        kept = json.loads((folder / MANIFEST).read_bytes())
        if kept["format"] != FORMAT:
            raise _UnusableError("it is of another version of this package")
        if kept.pop("manifest_sha256") != _digest(kept):
            raise _UnusableError("its manifest is damaged")
        return _Manifest(**kept)
    except FileNotFoundError:
        raise _UnusableError("there is none; `orb index` builds it") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _UnusableError(f"its manifest is damaged: {error}") from error


def _loaded(folder: Path) -> tuple[Any, _Manifest]:
    """Return the index to be searched, as this process has it, or read."""
    with _keeping:
        manifest = _read_manifest(folder)
        kept = _kept.get(folder)
        if kept is not None and kept[:2] == (manifest, _size_and_time(folder / manifest.file)):
            return kept[2], manifest
        _kept.pop(folder, None)  # before the other is read: both may not fit the memory
        index, manifest = _load(folder)
        _kept[folder] = manifest, _size_and_time(folder / manifest.file), index
        return index, manifest


def _load(folder: Path) -> tuple[Any, _Manifest]:
    """Read the index, whole and as it was written."""
    try:
        faiss = _faiss()
    except VectorIndexError as error:
        raise _UnusableError(str(error)) from error
    while True:
        manifest = _read_manifest(folder)
        path = folder / manifest.file
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != manifest.file_sha256:
                raise _UnusableError("its file is damaged")
            index = faiss.read_index(str(path))
        except (OSError, RuntimeError) as error:
            if _read_manifest(folder) != manifest:
                continue  # a builder has put another one into its place
            raise _UnusableError(f"its file cannot be read: {error}") from error
        if index.ntotal != manifest.vector_count:
            raise _UnusableError("its file is not that of its manifest")
        return index, manifest


def _digest(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def _publish(faiss: Any, folder: Path, index: Any, manifest: _Manifest) -> None:
    """Write the index, then its manifest; who opens it meanwhile finds the one before."""
    path = folder / f"{uuid.uuid4().hex}.faiss"
    try:
        faiss.write_index(index, str(path))
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        written = asdict(manifest) | {"file": path.name, "file_sha256": digest}
        written["manifest_sha256"] = _digest(written)
        unfinished = folder / f"{MANIFEST}.unfinished"
        with unfinished.open("w", encoding="utf-8") as text:
            json.dump(written, text, indent=2)
            text.flush()
            os.fsync(text.fileno())
        unfinished.replace(folder / MANIFEST)
    except (OSError, RuntimeError) as error:
        path.unlink(missing_ok=True)
        raise VectorIndexError(f"{folder} cannot be written: {error}") from error
    # The one before, and what killed builders left.
    for other in folder.glob("*.faiss"):
        if other != path:
            other.unlink()


@contextmanager
def _only_builder(folder: Path) -> Iterator[None]:
    """Wait until nobody else builds the index; a lock ends with its process."""
    try:
        folder.mkdir(exist_ok=True)
        lock = (folder / "builder.lock").open("w")
    except OSError as error:
        raise VectorIndexError(f"{folder} cannot be written: {error}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
