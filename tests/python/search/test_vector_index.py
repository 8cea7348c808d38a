"""The index of vectors holds what the table holds, or is not used; kills leave the old one."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import faiss
import numpy
import pytest
from building import SUPPORT

from orb_learning.errors import VectorIndexError
from orb_learning.filesystem import sha256_of
from orb_learning.record.vector_codec import DIMENSIONS
from orb_learning.search.vector_index import (
    building,
    faiss_index,
    find_index,
    index_folder,
    on_disk,
    open_index,
    update_index,
)
from orb_learning.search.vector_index.manifest import FORMAT, MANIFEST, read_manifest
from orb_learning.search.vector_index.on_disk import load

MODEL = "a-model"
WORKER = SUPPORT / "index_worker.py"
ID_BEYOND_SIGNED = 2**63
"""Half of all text_ids are that large; faiss has signed numbers."""


@pytest.fixture
def connection(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(database) as connection:
        connection.execute("create schema raw")
        connection.execute("create table raw.database_id as select uuid() as database_id")
        connection.execute(
            f"""
            create table text_embeddings (
                text_id ubigint, text_number bigint, embedding float[{DIMENSIONS}],
                model varchar, embedded_at timestamp, skipped_because varchar
            )
            """
        )
        yield connection


@pytest.fixture
def folder(database: Path) -> Path:
    return index_folder(database)


@pytest.fixture
def with_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes of a few hundred vectors have a graph, too."""
    monkeypatch.setattr(faiss_index, "FLAT_BELOW", 200)


def embed(
    connection: duckdb.DuckDBPyConnection, count: int, *, model: str = MODEL, seed: int = 0
) -> None:
    """Add so many texts with random vectors, as a build does."""
    (last,) = connection.execute(
        "select coalesce(max(text_number), 0) from text_embeddings"
    ).fetchone()
    vectors = numpy.random.default_rng([seed, last]).normal(size=(count, DIMENSIONS))
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    rows = [
        [ID_BEYOND_SIGNED * (number % 2) + number, number, vector.tolist(), model, None]
        for number, vector in enumerate(vectors, start=last + 1)
    ]
    connection.begin()
    connection.executemany(
        "insert into text_embeddings values (?, ?, ?, ?, current_localtimestamp(), ?)", rows
    )
    connection.commit()


def vector_of(connection: duckdb.DuckDBPyConnection, number: int) -> numpy.ndarray:
    (vector,) = connection.execute(
        "select embedding from text_embeddings where text_number = ?", [number]
    ).fetchone()
    return numpy.array(vector, numpy.float32)


def nearest(connection: duckdb.DuckDBPyConnection, query: numpy.ndarray, count: int) -> list[int]:
    return [
        text_id
        for (text_id,) in connection.execute(
            f"""
            select text_id from text_embeddings
            where embedding is not null
            order by array_inner_product(embedding, ?::float[{DIMENSIONS}]) desc limit ?
            """,
            [query.tolist(), count],
        ).fetchall()
    ]


def contents(folder: Path) -> dict[int, bytes]:
    """The index's vectors by their ids."""
    index, _ = load(folder)
    vectors = faiss_index._inner(index).reconstruct_n(0, index.ntotal)
    ids = faiss.vector_to_array(index.id_map)
    return {int(text_id): vector.tobytes() for text_id, vector in zip(ids, vectors, strict=True)}


def why_not(folder: Path, connection: duckdb.DuckDBPyConnection, model: str = MODEL) -> str:
    index, reason = find_index(folder, connection, model)
    assert index is None
    assert open_index(folder, connection, model) is None
    assert reason is not None
    return reason


def test_a_small_index_finds_exactly_the_nearest(
    connection: duckdb.DuckDBPyConnection, folder: Path
):
    embed(connection, 300)
    result = update_index(connection, folder, MODEL)
    assert (result.vectors, result.added, bool(result.rebuilt_because)) == (300, 300, True)
    index = open_index(folder, connection, MODEL)
    assert index is not None
    for number in (1, 2, 299):
        query = vector_of(connection, number)
        found = index.search(query, 5)
        assert [text_id for text_id, _ in found] == nearest(connection, query, 5)
        assert found[0][1] == pytest.approx(1, abs=1e-5)


@pytest.mark.usefixtures("with_graph")
def test_an_index_with_a_graph_finds_each_of_its_vectors(
    connection: duckdb.DuckDBPyConnection, folder: Path
):
    embed(connection, 600)
    update_index(connection, folder, MODEL)
    index = open_index(folder, connection, MODEL)
    assert index is not None
    for number in range(1, 601, 20):
        ((text_id, similarity),) = index.search(vector_of(connection, number), 1)
        assert text_id == ID_BEYOND_SIGNED * (number % 2) + number
        assert similarity == pytest.approx(1, abs=1e-4)


def test_more_than_there_is_is_not_made_up(connection: duckdb.DuckDBPyConnection, folder: Path):
    embed(connection, 3)
    update_index(connection, folder, MODEL)
    index = open_index(folder, connection, MODEL)
    assert index is not None
    assert len(index.search(vector_of(connection, 1), 10)) == 3


def test_an_index_of_no_texts_is_one(connection: duckdb.DuckDBPyConnection, folder: Path):
    result = update_index(connection, folder, MODEL)
    assert (result.vectors, result.added) == (0, 0)
    index = open_index(folder, connection, MODEL)
    assert index is not None
    assert index.search(numpy.zeros(DIMENSIONS), 3) == []


@pytest.mark.usefixtures("with_graph")
@pytest.mark.parametrize("first", [100, 250], ids=["flat", "graph"])
def test_an_updated_index_holds_what_a_rebuilt_one_does(
    connection: duckdb.DuckDBPyConnection, folder: Path, first: int
):
    embed(connection, first)
    update_index(connection, folder, MODEL)
    embed(connection, 60)
    connection.execute("update text_embeddings set embedding = null where text_number = ?", [first])
    connection.execute(
        "update text_embeddings set embedding = null where text_number = ?", [first + 1]
    )
    connection.execute("delete from text_embeddings where text_number = ?", [first])
    # The deleted row is one that the index knows.
    assert update_index(connection, folder, MODEL).rebuilt_because
    embed(connection, 30)
    result = update_index(connection, folder, MODEL)
    assert (result.vectors, result.added, bool(result.rebuilt_because)) == (first + 88, 30, False)
    again = folder.with_name("again")
    assert update_index(connection, again, MODEL).rebuilt_because
    assert contents(folder) == contents(again)


def test_what_is_there_already_is_left_alone(connection: duckdb.DuckDBPyConnection, folder: Path):
    embed(connection, 50)
    update_index(connection, folder, MODEL)
    files = times(folder)
    result = update_index(connection, folder, MODEL)
    assert (result.vectors, result.added, bool(result.rebuilt_because)) == (50, 0, False)
    assert len(files) == 2
    assert files == times(folder)


def times(folder: Path) -> dict[str, int]:
    """Return when each file but those of the lock was changed."""
    locks = ("builder.door", "builder.turn")
    return {
        file.name: file.stat().st_mtime_ns for file in folder.iterdir() if file.name not in locks
    }


def test_newer_texts_are_named_and_not_found(connection: duckdb.DuckDBPyConnection, folder: Path):
    embed(connection, 50)
    update_index(connection, folder, MODEL)
    embed(connection, 5)
    index = open_index(folder, connection, MODEL)
    assert index is not None
    assert (index.last_number, index.vectors) == (50, 50)
    assert 52 not in [text_id for text_id, _ in index.search(vector_of(connection, 52), 50)]


@pytest.mark.usefixtures("with_graph")
def test_an_index_that_the_table_outgrew_is_built_anew(
    connection: duckdb.DuckDBPyConnection, folder: Path
):
    embed(connection, 150)
    assert update_index(connection, folder, MODEL).rebuilt_because
    embed(connection, 60)
    assert update_index(connection, folder, MODEL).rebuilt_because  # is large enough for a graph
    for added in (100, 110, 500):
        embed(connection, added)
        assert not update_index(connection, folder, MODEL).rebuilt_because


@pytest.mark.usefixtures("with_graph")
def test_the_breadth_of_a_search_is_chosen_anew_when_an_index_has_doubled(
    connection: duckdb.DuckDBPyConnection, folder: Path
):
    measured = []
    for added in (210, 200, 20):
        embed(connection, added)
        update_index(connection, folder, MODEL)
        measured.append(read_manifest(folder).measured_count)
    assert measured == [210, 210, 430]


def test_the_database_is_free_while_the_index_is_built(
    connection: duckdb.DuckDBPyConnection, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    embed(connection, 50)
    steps = []
    publish = building.publish
    monkeypatch.setattr(
        building, "publish", lambda *given: (steps.append("write"), publish(*given))
    )

    def close() -> None:
        connection.close()
        steps.append("close")

    assert update_index(connection, folder, MODEL, when_read=close).vectors == 50
    assert steps == ["close", "write"]


@pytest.mark.parametrize(
    "change",
    [
        "delete from text_embeddings where text_number = 7",
        "delete from text_embeddings where text_number = 50",
        "update text_embeddings set embedded_at = embedded_at + interval 1 second "
        "where text_number = 7",
        "update text_embeddings set text_id = 1000 where text_number = 7",
        "update text_embeddings set model = 'other' where text_number = 7",
        "update text_embeddings set text_number = 1007 where text_number = 7",
        "insert into text_embeddings by name "
        "select * replace (1000 as text_id) from text_embeddings where text_number = 7",
        # The last is forgotten, and another has its number.
        "update text_embeddings set text_id = 1000, embedded_at = current_localtimestamp() "
        "where text_number = 50",
        "truncate text_embeddings",
    ],
)
def test_a_stale_index_is_not_used_and_built_anew(
    connection: duckdb.DuckDBPyConnection, folder: Path, change: str
):
    embed(connection, 50)
    update_index(connection, folder, MODEL)
    connection.execute(change)
    assert why_not(folder, connection) == "texts that it knows were deleted or embedded anew"
    result = update_index(connection, folder, MODEL)
    assert result.rebuilt_because == "texts that it knows were deleted or embedded anew"
    index = open_index(folder, connection, MODEL)
    assert index is not None
    (count,) = connection.execute(
        "select count(*) from text_embeddings where model = ?", [MODEL]
    ).fetchone()
    assert index.vectors == result.vectors == count


def test_a_vector_that_is_taken_out_by_hand_is_left_out_by_the_next_build(
    connection: duckdb.DuckDBPyConnection, folder: Path
):
    embed(connection, 50)
    update_index(connection, folder, MODEL)
    connection.execute("update text_embeddings set embedding = null where text_number = 7")
    result = update_index(connection, folder, MODEL)
    assert (result.vectors, result.rebuilt_because) == (49, "vectors that it knows are gone")


def test_an_index_of_another_model_is_not_used(connection: duckdb.DuckDBPyConnection, folder: Path):
    embed(connection, 50)
    update_index(connection, folder, MODEL)
    assert (
        why_not(folder, connection, "b-model") == "it is of the model 'a-model', not of 'b-model'"
    )
    embed(connection, 20, model="b-model")
    result = update_index(connection, folder, "b-model")
    assert (result.vectors, bool(result.rebuilt_because)) == (20, True)


def test_texts_of_another_model_stay_out(connection: duckdb.DuckDBPyConnection, folder: Path):
    embed(connection, 50, model="old")
    embed(connection, 20)
    update_index(connection, folder, MODEL)
    # A build embeds some of the old ones by the new model.
    connection.execute("delete from text_embeddings where text_number < 10")
    embed(connection, 9)
    index = open_index(folder, connection, MODEL)
    assert index is not None
    assert index.vectors == 20
    assert update_index(connection, folder, MODEL).added == 9


def test_an_index_of_another_database_is_not_used(
    connection: duckdb.DuckDBPyConnection, folder: Path
):
    embed(connection, 50)
    update_index(connection, folder, MODEL)
    connection.execute("update raw.database_id set database_id = uuid()")
    assert why_not(folder, connection) == "it is of another database"
    assert update_index(connection, folder, MODEL).rebuilt_because


def test_a_database_without_vectors_says_so(connection: duckdb.DuckDBPyConnection, folder: Path):
    embed(connection, 5)
    update_index(connection, folder, MODEL)
    connection.execute("drop table text_embeddings")
    assert "text_embeddings does not exist" in why_not(folder, connection)
    with pytest.raises(VectorIndexError, match="text_embeddings does not exist"):
        update_index(connection, folder, MODEL)


def test_the_log_says_why_there_is_none(
    connection: duckdb.DuckDBPyConnection, folder: Path, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO):
        assert open_index(folder, connection, MODEL) is None
    assert caplog.messages == ["vector index not used: there is none; `orb index` builds it"]
    assert not folder.exists()


def test_a_strangers_index_is_not_used_and_nobody_waits_for_it(
    connection: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    embed(connection, 20)
    update_index(connection, folder, MODEL)
    ours = read_manifest(folder)
    file, noted = folder / ours.file, folder / MANIFEST

    def why(index: Any, **fields: Any) -> str:
        faiss.write_index(index, str(file))
        noted.write_text(replace(ours, file_sha256=sha256_of(file), **fields).text())
        return why_not(folder, connection)

    for others in (faiss.IndexFlatIP(DIMENSIONS), faiss.IndexIDMap(faiss.IndexFlatIP(10))):
        assert why(others, vector_count=0) == "its file is not that of its manifest"
    assert why(others, file=f"../{folder.name}/{file.name}") == (
        "its manifest names a file elsewhere"
    )
    noted.write_text("[" * 100_000)
    assert why_not(folder, connection).startswith("its manifest is damaged")
    noted.write_text(ours.text())
    for pipe in (file, noted):
        pipe.unlink()
        os.mkfifo(pipe)
        assert "not a regular file" in why_not(folder, connection)


def test_what_is_searched_is_what_was_hashed(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    embed(connection, 20)
    update_index(connection, folder, MODEL)
    file = folder / read_manifest(folder).file
    strange = faiss.IndexIDMap(faiss.IndexFlatIP(DIMENSIONS))
    strange.add_with_ids(numpy.ones((20, DIMENSIONS), numpy.float32), numpy.arange(20) + 10**6)
    faiss.write_index(strange, str(tmp_path / "strange"))
    read_index = faiss.read_index

    def swapped(path: str) -> Any:
        (tmp_path / "strange").replace(file)
        return read_index(path)

    monkeypatch.setattr(faiss, "read_index", swapped)
    index, _ = load(folder)
    assert not set(faiss.vector_to_array(index.id_map).tolist()) & set(range(10**6, 10**6 + 20))


@pytest.mark.parametrize("is_early", [True, False])
def test_an_index_is_written_through_no_link_and_past_a_folder(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_early: bool,
) -> None:
    embed(connection, 20)
    folder.mkdir()
    (folder / "a.faiss").mkdir()
    victim = tmp_path / "victim"
    victim.write_text("of another")
    victim.chmod(0o644)
    write_index = faiss.write_index

    def swap() -> None:
        [file] = [path for path in folder.glob("*.faiss") if path.is_file()] or [folder / "-"]
        file.unlink(missing_ok=True)
        file.symlink_to(victim)

    def swapped(index: Any, path: str) -> None:
        if is_early:
            swap()
        write_index(index, path)
        if not is_early:
            swap()

    monkeypatch.setattr(faiss, "write_index", swapped)
    update_index(connection, folder, MODEL)
    assert (victim.read_text(), victim.stat().st_mode & 0o777) == ("of another", 0o644)
    assert why_not(folder, connection)


def flip_a_bit(path: Path, at: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(at * (len(content) - 1))] ^= 4
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    "damage",
    [
        *(lambda path, at=at: flip_a_bit(path, at) for at in (0, 0.001, 0.5, 0.999, 1)),
        truncate,
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
    ],
)
@pytest.mark.usefixtures("with_graph")
def test_a_damaged_index_is_not_used_and_built_anew(
    connection: duckdb.DuckDBPyConnection, folder: Path, damage: Any
):
    embed(connection, 250)
    update_index(connection, folder, MODEL)
    assert open_index(folder, connection, MODEL) is not None
    (file,) = folder.glob("*.faiss")
    damage(file)
    reason = why_not(folder, connection)
    assert reason == "its file is damaged" or reason.startswith("its file cannot be read")
    assert update_index(connection, folder, MODEL).rebuilt_because
    assert open_index(folder, connection, MODEL) is not None


def test_no_flipped_bit_of_the_manifest_is_trusted(
    connection: duckdb.DuckDBPyConnection, folder: Path
):
    embed(connection, 20)
    update_index(connection, folder, MODEL)
    manifest = folder / MANIFEST
    whole = manifest.read_bytes()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        manifest.write_bytes(damaged)
        index, _ = find_index(folder, connection, MODEL)
        assert index is None or json.loads(damaged) == json.loads(whole)  # white space was hit


def test_a_manifest_of_a_later_format_is_not_read(
    connection: duckdb.DuckDBPyConnection, folder: Path
):
    embed(connection, 20)
    update_index(connection, folder, MODEL)
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps({"format": FORMAT + 1, "new": True}))
    assert why_not(folder, connection) == "it is of another version of this package"
    assert update_index(connection, folder, MODEL).rebuilt_because


def test_without_faiss_there_is_no_index(
    connection: duckdb.DuckDBPyConnection, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    embed(connection, 20)
    update_index(connection, folder, MODEL)
    monkeypatch.setitem(sys.modules, "faiss", None)
    assert "orb-learning[index]" in why_not(folder, connection)
    with pytest.raises(VectorIndexError, match=r"pip install 'orb-learning\[index\]'"):
        update_index(connection, folder, MODEL)


def test_importing_the_module_does_not_import_faiss():
    code = "import sys, orb_learning.search; sys.exit('faiss' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_folder_that_cannot_be_written_is_named(
    connection: duckdb.DuckDBPyConnection, folder: Path
):
    folder.write_text("a file")
    with pytest.raises(VectorIndexError, match=r"learning\.db\.index cannot be written"):
        update_index(connection, folder, MODEL)


def test_a_full_disk_leaves_the_old_index(
    connection: duckdb.DuckDBPyConnection, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    embed(connection, 20)
    update_index(connection, folder, MODEL)
    before = sorted(folder.iterdir())

    def half_written(_: Any, path: str) -> None:
        Path(path).write_bytes(b"half")
        raise RuntimeError("write error: No space left on device")

    monkeypatch.setattr(faiss, "write_index", half_written)
    embed(connection, 5)
    with pytest.raises(VectorIndexError, match="cannot be written: write error: No space left"):
        update_index(connection, folder, MODEL)
    assert sorted(folder.iterdir()) == before
    index = open_index(folder, connection, MODEL)
    assert index is not None
    assert index.vectors == 20


def test_a_search_goes_on_while_the_index_is_replaced(
    connection: duckdb.DuckDBPyConnection, folder: Path
):
    embed(connection, 20)
    update_index(connection, folder, MODEL)
    index = open_index(folder, connection, MODEL)
    assert index is not None
    embed(connection, 5)
    update_index(connection, folder, MODEL)
    assert len(index.search(vector_of(connection, 1), 25)) == 20
    newer = open_index(folder, connection, MODEL)
    assert newer is not None
    assert len(newer.search(vector_of(connection, 1), 25)) == 25


def test_two_builders_at_once_build_one_index(connection: duckdb.DuckDBPyConnection, folder: Path):
    embed(connection, 200)
    results = []
    threads = [
        threading.Thread(
            target=lambda: results.append(update_index(connection.cursor(), folder, MODEL))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.added for result in results) == [0, 0, 0, 200]
    assert len(list(folder.glob("*.faiss"))) == 1


def test_readers_beside_a_builder_find_a_whole_index(
    connection: duckdb.DuckDBPyConnection, folder: Path
):
    embed(connection, 20)
    update_index(connection, folder, MODEL)
    reasons: list[str | None] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            on_disk._kept.clear()
            _, reason = find_index(folder, connection.cursor(), MODEL)
            reasons.append(reason)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        embed(connection, 2)
        update_index(connection, folder, MODEL)
    stop.set()
    reader.join()
    # Whose view of the table is older than the index finds one that knows too much.
    assert {None} <= set(reasons) <= {None, "texts that it knows were deleted or embedded anew"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "round_number", [0, 1, *(pytest.param(n, marks=pytest.mark.soak) for n in range(2, 8))]
)
def test_a_killed_builder_leaves_the_old_index_or_the_new_one(
    connection: duckdb.DuckDBPyConnection, database: Path, folder: Path, round_number: int
):
    embed(connection, 30)
    update_index(connection, folder, MODEL)
    embed(connection, 20)
    connection.close()
    steps = ["write_index", "fsync", "write_text", "replace", "after replace", "unlink", "-", "-"]
    step = steps[round_number]
    process = subprocess.Popen(
        [sys.executable, WORKER, database, MODEL, step], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    if step == "-":
        process.stdout.readline()  # it begins
        time.sleep(0.01 * (round_number - 5))  # the kill hits it at work
        process.send_signal(signal.SIGKILL)
    assert process.wait(60) in (-signal.SIGKILL, 0)
    with duckdb.connect(database) as after:
        index = open_index(folder, after, MODEL)
        assert index is not None
        assert index.vectors in (30, 50)
        if step in ("write_index", "fsync", "write_text", "replace"):
            assert index.vectors == 30
        if step in ("after replace", "unlink"):
            assert index.vectors == 50
        result = update_index(after, folder, MODEL)
        assert (result.vectors, bool(result.rebuilt_because)) == (50, False)
        # What the killed one left goes with the next update.
        embed(after, 1)
        update_index(after, folder, MODEL)
    assert sorted(path.suffix for path in folder.iterdir()) == [".door", ".faiss", ".json", ".turn"]
