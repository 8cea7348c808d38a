"""The default model by ONNX Runtime: the same vectors, in less of the processor's time.

Importing this module is quick.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

INPUTS = ["input_ids", "attention_mask"]


class OnnxModel:
    """The transformer of a sentence-transformers model, converted, with its mean over the tokens.

    Converting takes a second. Only the layers are taken: whoever makes one knows that the model
    takes the mean over a text's tokens, and no more.
    """

    def __init__(self, transformer: Any):
        import onnxruntime
        import torch

        example = torch.ones(2, 8, dtype=torch.long)
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            converted = Path(folder) / "model.onnx"
            warnings.simplefilter("ignore")  # of what tracing would miss in another model
            torch.onnx.export(
                _with_positional_inputs(transformer),
                (example, example),
                converted,
                input_names=INPUTS,
                output_names=["states"],
                dynamic_axes={name: {0: "texts", 1: "tokens"} for name in [*INPUTS, "states"]},
                dynamo=False,
            )
            # A core reads texts of its own: with all at the same ones, each waits for the others.
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(
                converted, options, providers=["CPUExecutionProvider"]
            )

    def vectors(
        self, batches: Iterable[Sequence[Sequence[int]]]
    ) -> Iterator[numpy.ndarray[Any, Any]]:
        """Yield the vectors of each batch of texts that were cut into tokens.

        They are float32, a row a text, of unit length. Each core reads a batch.
        """
        with ThreadPoolExecutor(os.cpu_count()) as cores:
            yield from cores.map(self._vectors, batches)

    def _vectors(self, tokens: Sequence[Sequence[int]]) -> numpy.ndarray[Any, Any]:
        import numpy

        shape = len(tokens), max(map(len, tokens))
        ids, mask = numpy.zeros(shape, numpy.int64), numpy.zeros(shape, numpy.int64)
        for row, of_text in enumerate(tokens):
            ids[row, : len(of_text)] = of_text
            mask[row, : len(of_text)] = 1
        (states,) = self._session.run(None, dict(zip(INPUTS, (ids, mask), strict=True)))
        # The mean's length does not matter, so a sum will do.
        sums = numpy.einsum("btw,bt->bw", states, mask.astype("float32"))
        vectors: numpy.ndarray[Any, Any] = sums / numpy.linalg.norm(sums, axis=1, keepdims=True)
        return vectors


def is_installed() -> bool:
    """Return whether ONNX Runtime and the converter are here; nothing is imported."""
    return all(find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def _with_positional_inputs(transformer: Any) -> Any:
    import torch

    class Layers(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, ids: Any, mask: Any) -> Any:
            return self.transformer(input_ids=ids, attention_mask=mask).last_hidden_state

    return Layers().eval()
