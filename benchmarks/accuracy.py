"""How well the vectors of texts tell a task in other words from another task.

The tasks of tests/data/task_pairs.csv were written one by one. Each has three wordings: its text, a
rewording with most of the same words, and a paraphrase with hardly any of them. Each rewording is
compared with the text of every task, and so is each paraphrase.

- Wrong order: every pair of the same task is compared with every pair of two tasks. It counts those
  in which the two tasks are the more similar: 1 - AUC.
- Not nearest, not in ten: a search by the other wording does not find the task first, or not among
  its first ten. At full scale the texts include generated tasks.
- At 0.7: pairs that a search shows that asks for at least this similarity. Same tasks should be
  shown, others should not.

Baseline: the cosine of the counts of words, which knows no meaning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import texts
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.embeddings.encoder import Encoder

TITLE = "Accuracy of similarity"
LEAST_SIMILARITY = 0.7


@dataclass(frozen=True)
class Accuracy:
    auc: float
    not_nearest: int
    not_in_ten: int
    same_shown: int
    others_shown: int


@dataclass(frozen=True)
class Bounds:
    """The worst that the model may score; without its last layer it scores worse (2026-11)."""

    auc: float
    not_nearest: int
    not_in_ten: int


BOUNDS = {
    "rewording": Bounds(auc=0.9999, not_nearest=2, not_in_ten=0),
    "paraphrase": Bounds(auc=0.99, not_nearest=100, not_in_ten=20),
}


def run(scale: Scale) -> Iterator[Figure]:
    tasks = texts.written_tasks()
    encode = Encoder().encode
    count = len(tasks) + (2_000 if scale.name == "full" else 0)
    # The first of them are the written ones.
    candidates = list(texts.realistic_texts(count))
    vectors, counts = encode(candidates), word_counts(tasks, candidates)
    for wording, bounds in BOUNDS.items():
        queries = [getattr(task, wording) for task in tasks]
        query_vectors, query_counts = encode(queries), word_counts(tasks, queries)
        yield from _figures(
            wording,
            accuracy(query_vectors, vectors[: len(tasks)]),
            accuracy(query_counts, counts[: len(tasks)]),
            len(tasks),
            bounds,
        )
        if count > len(tasks):
            yield Figure(
                f"{wording}: not in ten of {count:,} texts",
                accuracy(query_vectors, vectors).not_in_ten,
                f"of {len(tasks)}",
                accuracy(query_counts, counts).not_in_ten,
                "words",
            )


def _figures(
    wording: str, model: Accuracy, words: Accuracy, tasks: int, bounds: Bounds
) -> Iterator[Figure]:
    million = 1e6
    yield Figure(
        f"{wording}: wrong order (AUC {model.auc:.4f}, of words {words.auc:.4f})",
        (1 - model.auc) * million,
        "of a million",
        (1 - words.auc) * million,
        "words",
        most=(1 - bounds.auc) * million,
    )
    of_tasks = f"of {tasks}"
    for name, unit, field, most in (
        (f"not nearest of {tasks} texts", of_tasks, "not_nearest", bounds.not_nearest),
        (f"not in ten of {tasks} texts", of_tasks, "not_in_ten", bounds.not_in_ten),
        (f"same task at {LEAST_SIMILARITY}", of_tasks, "same_shown", None),
        (
            f"other task at {LEAST_SIMILARITY}",
            f"of {tasks * (tasks - 1):,}",
            "others_shown",
            None,
        ),
    ):
        yield Figure(
            f"{wording}: {name}",
            getattr(model, field),
            unit,
            getattr(words, field),
            "words",
            most=most,
        )


def accuracy(queries: np.ndarray, candidates: np.ndarray) -> Accuracy:
    """Compare queries with candidates, the first of which are the queries' tasks in order."""
    similarities = queries @ candidates.T
    same = similarities.diagonal()
    # Behind all candidates that are as similar: a model that tells nothing apart finds nothing.
    rank = (similarities >= same[:, np.newaxis]).sum(axis=1)
    of_tasks = similarities[:, : len(queries)]
    others = np.sort(of_tasks[~np.eye(len(queries), dtype=bool)])
    # How many others are less similar; a tie counts 0.5.
    below = (np.searchsorted(others, same, "left") + np.searchsorted(others, same, "right")) / 2
    return Accuracy(
        auc=float(below.mean()) / len(others),
        not_nearest=int((rank > 1).sum()),
        not_in_ten=int((rank > 10).sum()),
        same_shown=int((same >= LEAST_SIMILARITY).sum()),
        others_shown=int((others >= LEAST_SIMILARITY).sum()),
    )


def word_counts(tasks: Sequence[texts.Task], counted: Sequence[str]) -> np.ndarray:
    """Return a vector for each text: how often each word of the tasks occurs, of unit length."""
    known = sorted(
        {
            word
            for task in tasks
            for text in (task.text, task.rewording, task.paraphrase)
            for word in words_of(text)
        }
    )
    place = {word: number for number, word in enumerate(known)}
    counts = np.zeros((len(counted), len(known)), dtype=np.float32)
    for row, text in enumerate(counted):
        for word, times in Counter(words_of(text)).items():
            if word in place:
                counts[row, place[word]] = times
    return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
