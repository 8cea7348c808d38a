"""The outbox: a durable log in SQLite between who records and who loads."""

from orb_learning.outbox.defence import open_defensively
from orb_learning.outbox.lease import hold_lease
from orb_learning.outbox.pruning import (
    Pruned,
    drop_covered_entries,
    prune_segments,
    pruned_segments,
)
from orb_learning.outbox.reader import (
    DamagedFileError,
    OutboxReader,
    OutboxRecord,
    StillInUseError,
    as_time,
    files_of,
    open_reader,
)
from orb_learning.outbox.segment import inherited, is_in_use, set_segment_aside, try_lock
from orb_learning.outbox.shipping import (
    Shipped,
    ShippedSegment,
    newest_of_each,
    ship,
    shipped_segments,
)
from orb_learning.outbox.writer import Kind, Limits, Outbox, folder_size

__all__ = [
    "DamagedFileError",
    "Kind",
    "Limits",
    "Outbox",
    "OutboxReader",
    "OutboxRecord",
    "Pruned",
    "Shipped",
    "ShippedSegment",
    "StillInUseError",
    "as_time",
    "drop_covered_entries",
    "files_of",
    "folder_size",
    "hold_lease",
    "inherited",
    "is_in_use",
    "newest_of_each",
    "open_defensively",
    "open_reader",
    "prune_segments",
    "pruned_segments",
    "set_segment_aside",
    "ship",
    "shipped_segments",
    "try_lock",
]
