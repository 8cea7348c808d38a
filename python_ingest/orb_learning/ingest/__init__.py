"""Everything on its way into the raw schema: the outbox's records, files, the sample."""

from orb_learning.ingest.background import BackgroundLoader
from orb_learning.ingest.dead_letters import (
    drop_dead_letters,
    read_dead_letter,
    read_dead_letters,
    replay_dead_letter,
)
from orb_learning.ingest.files import Counted, ImportResult, import_file
from orb_learning.ingest.relay import (
    LoadResult,
    RelayOptions,
    load_once,
    pending_records,
)
from orb_learning.ingest.sample import load_sample
from orb_learning.ingest.spans import drop_old_spans

__all__ = [
    "BackgroundLoader",
    "Counted",
    "ImportResult",
    "LoadResult",
    "RelayOptions",
    "drop_dead_letters",
    "drop_old_spans",
    "import_file",
    "load_once",
    "load_sample",
    "pending_records",
    "read_dead_letter",
    "read_dead_letters",
    "replay_dead_letter",
]
