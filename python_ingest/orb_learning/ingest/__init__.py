"""Everything on its way into the raw schema: the outbox's records, files, the sample."""

from orb_learning.ingest.dead_letters import drop_letter, read_letter, read_letters, replay_letter
from orb_learning.ingest.files import import_file
from orb_learning.ingest.relay import (
    LONE_HALF_LIMIT,
    BackgroundLoader,
    LoadResult,
    load_once,
    pending_records,
)
from orb_learning.ingest.sample import load_sample

__all__ = [
    "LONE_HALF_LIMIT",
    "BackgroundLoader",
    "LoadResult",
    "drop_letter",
    "import_file",
    "load_once",
    "load_sample",
    "pending_records",
    "read_letter",
    "read_letters",
    "replay_letter",
]
