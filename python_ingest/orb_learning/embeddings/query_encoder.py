"""The vector of one text by the default model, without torch.

A search waits for the vector of its text. From a cold start sentence-transformers takes 6 s for it,
5 of which import torch and what comes with it; this takes less than one. It computes what the
model's description says (BERT with 6 layers, the mean over its tokens, unit length) from the same
weights and with the same tokenizer; a test holds the vectors equal. Many texts are quicker by
Encoder.

The model: Devlin et al. (2019), BERT: Pre-training of deep bidirectional transformers,
https://arxiv.org/abs/1810.04805; GELU by the error function.
"""

from __future__ import annotations

import json
from functools import cache
from math import sqrt
from typing import TYPE_CHECKING, Any

from orb_learning.embeddings.encoder import LONGEST_TEXT, not_installed, packaged_model

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

LONGEST_TOKENS = 256


class QueryEncoder:
    """The default model, loaded.

    Raises:
        EmbeddingError: its weights are missing, or are not the published ones.
    """

    def __init__(self) -> None:
        folder = packaged_model()
        try:
            from safetensors.numpy import load_file
            from tokenizers import Tokenizer
        except ImportError as error:
            raise not_installed() from error
        config = json.loads((folder / "config.json").read_text("utf-8"))
        self._heads = int(config["num_attention_heads"])
        self._layers = int(config["num_hidden_layers"])
        self._epsilon = float(config["layer_norm_eps"])
        self._weights: dict[str, Array] = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST_TOKENS)

    def encode(self, text: str) -> Array:
        """Return the vector of a text: 384 float32, of unit length."""
        from threadpoolctl import threadpool_limits

        ids = self._tokenizer.encode(text[:LONGEST_TEXT]).ids
        # It is little work: where others use the processors, threads that wait for each other
        # take a hundred times as long.
        with threadpool_limits(1, "blas"):
            return self._forward(ids)

    def _forward(self, ids: list[int]) -> Array:
        import numpy

        weights = self._weights
        states = (
            weights["embeddings.word_embeddings.weight"][ids]
            + weights["embeddings.position_embeddings.weight"][: len(ids)]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        states = self._normalized(states, "embeddings.LayerNorm")
        for number in range(self._layers):
            states = self._layer(states, f"encoder.layer.{number}")
        mean = states.mean(axis=0)
        vector: Array = mean / numpy.linalg.norm(mean)
        return vector

    def _layer(self, states: Array, name: str) -> Array:
        attended = self._attention(states, f"{name}.attention.self")
        attended = self._linear(attended, f"{name}.attention.output.dense")
        states = self._normalized(states + attended, f"{name}.attention.output.LayerNorm")
        inner = _gelu(self._linear(states, f"{name}.intermediate.dense"))
        outer = self._linear(inner, f"{name}.output.dense")
        return self._normalized(states + outer, f"{name}.output.LayerNorm")

    def _attention(self, states: Array, name: str) -> Array:
        import numpy

        tokens, width = states.shape
        query, key, value = (
            self._linear(states, f"{name}.{part}").reshape(tokens, self._heads, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / sqrt(width // self._heads)
        shares = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        attended: Array = (shares @ value).swapaxes(0, 1).reshape(tokens, width)
        return attended

    def _linear(self, states: Array, name: str) -> Array:
        result: Array = states @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return result

    def _normalized(self, states: Array, name: str) -> Array:
        import numpy

        spread = numpy.sqrt(states.var(axis=-1, keepdims=True) + self._epsilon)
        centred = (states - states.mean(axis=-1, keepdims=True)) / spread
        result: Array = centred * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return result


@cache
def query_encoder() -> QueryEncoder:
    """Return the default model, loaded once in a process."""
    return QueryEncoder()


def _gelu(states: Array) -> Array:
    from scipy.special import erf

    result: Array = states * 0.5 * (1 + erf(states / sqrt(2)))
    return result
