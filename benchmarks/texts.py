"""Realistic task descriptions, all distinct, in any number.

vocabulary.json holds their words. In its lists, `{name}` in an entry stands for an entry of the
list of that name: the stack's own list, or else the common one. So a Rust task names Rust's files
and libraries. The same arguments give the same texts. The first ones are the tasks of
tests/data/task_pairs.csv, for which two other wordings are known.
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.databases import PROJECT

PAIRS = PROJECT / "tests" / "data" / "task_pairs.csv"
VOCABULARY = PROJECT / "benchmarks" / "vocabulary.json"
SHORTEST, LONGEST = 40, 400
"""Characters of a task."""


@dataclass(frozen=True)
class Task:
    """One task in three wordings."""

    source: str
    """terminal-bench, or typical for what coding agents are asked to do."""
    topic: str
    text: str
    rewording: str
    """Most words of the text in another sentence."""
    paraphrase: str
    """As somebody else would say it: hardly a word of the text, other details."""


def written_tasks() -> list[Task]:
    with PAIRS.open(encoding="utf-8", newline="") as file:
        return [Task(**row) for row in csv.DictReader(file)]


def realistic_texts(count: int, seed: int = 0) -> Iterator[str]:
    """Yield so many distinct tasks of 40 to 400 characters; fewer are the beginning of more."""
    seen = set()
    for task in written_tasks()[:count]:
        seen.add(task.text)
        yield task.text
    composer = _Composer(random.Random(seed))  # noqa: S311
    while len(seen) < count:
        text = composer.task()
        if SHORTEST <= len(text) <= LONGEST and text not in seen:
            seen.add(text)
            yield text


class _Composer:
    """Fills the vocabulary's entries with others, by one stream of random numbers."""

    def __init__(self, chance: random.Random):
        self._random = chance.random
        vocabulary = json.loads(VOCABULARY.read_text(encoding="utf-8"))
        self._stacks = [_compiled(vocabulary, stack) for stack in vocabulary["stacks"].values()]
        self._stack = self._stacks[0]

    def task(self) -> str:
        """Return a task: what to do, and perhaps a sentence on it and a condition."""
        self._stack = self._stacks[int(self._random() * len(self._stacks))]
        sentences = [self.expand("task")]
        if self._random() < 0.4:
            sentences.append(self.expand("context"))
        if self._random() < 0.4:
            sentences.append(self.expand("constraint"))
        return " ".join(map(_capitalised, sentences))

    def expand(self, name: str) -> str:
        entries = self._stack[name.lower()]
        parts = entries[int(self._random() * len(entries))]
        if len(parts) == 1:
            text = parts[0]
        else:
            # Literals and names in turns, beginning with a literal.
            text = "".join(
                self.expand(part) if number % 2 else part for number, part in enumerate(parts)
            )
        return _capitalised(text) if name[0].isupper() else text


def _compiled(vocabulary: dict[str, Any], stack: dict[str, Any]) -> dict[str, list[list[str]]]:
    """Return the stack's lists and the common ones, each entry split at the names in it."""
    folders, names = vocabulary["folders"], vocabulary["names"]
    entries = {
        **vocabulary["common"],
        "file": [f"{folder}/{name}.{stack['extension']}" for folder in folders for name in names],
        "test_file": [stack["test_file"].format(name) for name in names],
        **stack["entries"],
    }
    return {name: [re.split(r"\{(\w+)\}", entry) for entry in entries[name]] for name in entries}


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]
