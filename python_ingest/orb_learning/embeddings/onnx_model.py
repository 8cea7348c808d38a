"""The default model by ONNX Runtime: the same vectors, in less of the processor's time.

Importing this module is quick.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
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
            self._session = onnxruntime.InferenceSession(
                converted, providers=["CPUExecutionProvider"]
            )

    def vectors(self, tokens: Sequence[Sequence[int]]) -> numpy.ndarray[Any, Any]:
        """Return the vectors of texts that were cut into tokens, float32, of unit length."""
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
