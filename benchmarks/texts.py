"""Realistic task descriptions and solution summaries, as many as are wanted, all distinct.

They are composed of benchmarks/vocabulary.py, by a seed: the same arguments, the same texts. The
first tasks are those of tests/data/task_pairs.csv, written one by one, so that any collection of
them holds tasks for which other wordings are known.
"""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.databases import PROJECT
from benchmarks.vocabulary import COMMON, CONJUNCTIONS, EVIDENCE, SOLUTIONS, STACKS

PAIRS = PROJECT / "tests" / "data" / "task_pairs.csv"
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


def solutions(count: int, seed: int = 0, reworded: float = 0.5) -> list[tuple[int, str]]:
    """Return so many distinct solution summaries, each with the number of its group.

    A group's texts say the same in nearly the same words. About the share ``reworded`` of the
    texts is in groups of 2 to 8, the others are alone; the order is random. By all-MiniLM-L6-v2,
    of 1,500 texts (2026-11): two of a group are 0.94 similar (median; 95 % more than 0.85), two of
    different groups 0.36 (99.9 % less than 0.70). The more texts, the nearer the nearest of
    another group: it may differ in the component only.
    """
    chance = random.Random(seed)  # noqa: S311
    composer = _Composer(chance)
    made: list[tuple[int, str]] = []
    seen: set[tuple[object, ...]] = set()
    # Of the groups; one of more than one text has 5 on average.
    reworded_groups = reworded / (reworded + (1 - reworded) * 5)
    group = 0
    while len(made) < count:
        facts = _facts(chance, composer.expand("component"))
        # Other evidence alone does not make it another solution.
        done = facts[:-1]
        if done in seen:
            continue
        seen.add(done)
        size = chance.randint(2, 8) if chance.random() < reworded_groups else 1
        texts: dict[str, None] = {}
        while len(texts) < min(size, count - len(made)):
            texts[_said(chance, facts)] = None
        made.extend((group, text) for text in texts)
        group += 1
    chance.shuffle(made)
    return made


class _Facts(NamedTuple):
    """What a summary says, however it says it; numbers are of the vocabulary's entries."""

    component: str
    solution: int
    reason: int
    also: int | None
    evidence: int


def _facts(chance: random.Random, component: str) -> _Facts:
    solution = chance.randrange(len(SOLUTIONS))
    also = chance.randrange(len(SOLUTIONS)) if chance.random() < 0.5 else None
    return _Facts(
        component,
        solution,
        chance.randrange(len(SOLUTIONS[solution].reasons)),
        None if also == solution else also,
        chance.randrange(len(EVIDENCE)),
    )


def _said(chance: random.Random, facts: _Facts) -> str:
    solution = SOLUTIONS[facts.solution]
    way = chance.choice(solution.ways)
    reason = f"{chance.choice(CONJUNCTIONS)} {solution.reasons[facts.reason]}"
    sentence = chance.choice(
        (
            f"{way} in {facts.component}, {reason}",
            f"in {facts.component}, {way}, {reason}",
            f"{reason}, {way} in {facts.component}",
        )
    )
    also = "" if facts.also is None else f" Also {chance.choice(SOLUTIONS[facts.also].ways)}."
    return f"{_capitalised(sentence)}; {chance.choice(EVIDENCE[facts.evidence])}.{also}"


class _Composer:
    """Fills the vocabulary's entries with others, by one stream of random numbers."""

    def __init__(self, chance: random.Random):
        self._random = chance.random
        self._stacks = [_compiled(COMMON | stack) for stack in STACKS.values()]
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


def _compiled(vocabulary: dict[str, list[str]]) -> dict[str, list[list[str]]]:
    return {
        name: [re.split(r"\{(\w+)\}", entry) for entry in entries]
        for name, entries in vocabulary.items()
    }


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]
