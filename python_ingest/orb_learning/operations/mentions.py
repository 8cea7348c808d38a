"""Whether a text, a record or a row mentions what is erased."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orb_learning.outbox import (
    DamagedFileError,
    OutboxRecord,
    StillInUseError,
    files_of,
    open_reader,
)
from orb_learning.store import UUID_PATTERN

PARTIAL_OF_REPO = "json_valid(payload) and payload->>'$.repo' = $repo"
"""SQL for which rows of raw.pending_halves are of a repository."""


@dataclass(frozen=True)
class ErasureTarget:
    """The tasks to erase, and the repository whose tasks they are if it was named."""

    task_ids: frozenset[uuid.UUID]
    repo: str | None = None
    named_by: frozenset[uuid.UUID] = frozenset()
    """UUIDs by which feedback names tasks of other systems; no task of the own scope has one."""

    @property
    def ids(self) -> list[str]:
        """The ids as SQL takes them, in their order."""
        return sorted(map(str, self.task_ids))

    @property
    def mentions(self) -> frozenset[uuid.UUID]:
        """The ids that stand for the tasks in what was recorded."""
        return self.task_ids | self.named_by

    @property
    def repo_pattern(self) -> str | None:
        """The pattern of a text that names the repository; None where none was named.

        The text may be a line that could not be read: its fields are not known, only what parts
        them.
        """
        if self.repo is None:
            return None
        return f"(^|[\"',;:=({{\\[\\s]){re.escape(self.repo)}([\"',;)}}\\]\\s]|$)"

    def to_json(self) -> str:
        """Write it down for another process."""
        ids = [sorted(map(str, each)) for each in (self.task_ids, self.named_by)]
        return json.dumps([*ids, self.repo])

    @classmethod
    def from_json(cls, text: str) -> ErasureTarget:
        """Return what another process wrote down."""
        task_ids, named_by, repo = json.loads(text)
        of_ids = [frozenset(map(uuid.UUID, each)) for each in (task_ids, named_by)]
        return cls(of_ids[0], repo, of_ids[1])

    def is_mentioned_in(self, payload: str) -> bool:
        """Whether a record has one of the ids, or the repository."""
        return mentions_any(payload.encode(), self.mentions) or (
            self.repo is not None and _names_repo(payload, self.repo, str(self.repo_pattern))
        )


def mentions_any(content: bytes, ids: Collection[uuid.UUID]) -> bool:
    """Whether bytes have one of some ids in them."""
    found = re.findall(UUID_PATTERN.encode(), content)
    return any(uuid.UUID(text.decode()) in ids for text in found)


def erase_records(outbox_folder: Path, is_erased: Callable[[OutboxRecord], bool]) -> int:
    """Erase records from the outbox, durably; returns how many there were.

    A segment that another process takes or removes just now is left to that process.
    """
    count = 0
    for path in files_of(outbox_folder):
        with (
            suppress(StillInUseError, FileNotFoundError, DamagedFileError),
            open_reader(path) as reader,
        ):
            erased = [record.sequence_number for record in reader.read(0, -1) if is_erased(record)]
            reader.erase(erased)
            count += len(erased)
    return count


def _names_repo(payload: str, repo: str, pattern: str) -> bool:
    """Return whether a record, or the one inside a dead letter, is of a repository.

    Of what is no JSON, whether its text names it.
    """
    try:
        value = json.loads(payload)
    except ValueError:
        return re.search(pattern, payload) is not None
    return _has_repo(value, repo, pattern)


def _has_repo(value: Any, repo: str, pattern: str) -> bool:
    if isinstance(value, list):
        return any(_has_repo(part, repo, pattern) for part in value)
    if not isinstance(value, dict):
        return False
    inner = value.get("payload")
    return (
        value.get("repo") == repo
        or (isinstance(inner, str) and _names_repo(inner, repo, pattern))
        or any(_has_repo(part, repo, pattern) for part in value.values())
    )
