"""The DuckDB file: its connections, its raw schema, and what is known of its rows."""

from orb_learning.store.apart import EndedError, Limits, StoppedError, answer_apart, ask_apart
from orb_learning.store.checksums import TableChecksum, read_relations, table_checksums
from orb_learning.store.compaction import compact, is_compaction_worth_it
from orb_learning.store.connection import (
    connect,
    connect_without_lock,
    open_with_lock,
    transaction,
    utc_now,
)
from orb_learning.store.contents import contents_of, limits_of
from orb_learning.store.copies import (
    DUMP_ENDING,
    FILE_ENDING,
    contents_of_copy,
    dump_of_lake,
    open_copy,
)
from orb_learning.store.counts import count_feedback, count_received
from orb_learning.store.deletion import delete_tasks
from orb_learning.store.duckdb_errors import built_by_this_version, translated_errors
from orb_learning.store.external_ids import (
    SAME_TASK_WITHIN,
    ExternalRecord,
    execution_at,
    executions_of,
    known_tasks,
    tasks_named,
    tell_executions_apart,
)
from orb_learning.store.lake import LakeFiles, LakeInHand, lake_in_hand
from orb_learning.store.moving import copy_raw
from orb_learning.store.offsets import store_offsets, stored_offsets
from orb_learning.store.paths import check_path
from orb_learning.store.protocol import store_of
from orb_learning.store.public import IS_PUBLIC
from orb_learning.store.reader_pool import ReaderPool
from orb_learning.store.rows import append_rows, rows_as_dicts, written_here
from orb_learning.store.schema import SCHEMA_VERSION, check_version, ddl, migrate, schema_version_of
from orb_learning.store.sealing import CONFIG, SEALED_CONFIG, STORAGE_VERSION, seal, spilled_in
from orb_learning.store.shared_file import PoolStatistics
from orb_learning.store.sizes import (
    DATABASE_PLACE,
    database_bytes,
    sample_sizes,
    sample_sizes_hourly,
)
from orb_learning.store.sql_text import identifier, literal, shortened, unglobbed, with_whole_digits
from orb_learning.store.tombstones import (
    RESIDUES,
    UUID_PATTERN,
    drop_residual_rows,
    existing_tables,
    has_tombstones,
    mentions_any_sql,
)
from orb_learning.store.upkeep import (
    clean_up,
    merge_files,
    note_backup,
    only_maintainer,
    snapshots_until,
)
from orb_learning.store.written_files import note_written, written_files
from orb_learning.store.written_log import log_of, make_log, remove_empty_log

__all__ = [
    "CONFIG",
    "DATABASE_PLACE",
    "DUMP_ENDING",
    "FILE_ENDING",
    "IS_PUBLIC",
    "RESIDUES",
    "SAME_TASK_WITHIN",
    "SCHEMA_VERSION",
    "SEALED_CONFIG",
    "STORAGE_VERSION",
    "UUID_PATTERN",
    "EndedError",
    "ExternalRecord",
    "LakeFiles",
    "LakeInHand",
    "Limits",
    "PoolStatistics",
    "ReaderPool",
    "StoppedError",
    "TableChecksum",
    "answer_apart",
    "append_rows",
    "ask_apart",
    "built_by_this_version",
    "check_path",
    "check_version",
    "clean_up",
    "compact",
    "connect",
    "connect_without_lock",
    "contents_of",
    "contents_of_copy",
    "copy_raw",
    "count_feedback",
    "count_received",
    "database_bytes",
    "ddl",
    "delete_tasks",
    "drop_residual_rows",
    "dump_of_lake",
    "execution_at",
    "executions_of",
    "existing_tables",
    "has_tombstones",
    "identifier",
    "is_compaction_worth_it",
    "known_tasks",
    "lake_in_hand",
    "limits_of",
    "literal",
    "log_of",
    "make_log",
    "mentions_any_sql",
    "merge_files",
    "migrate",
    "note_backup",
    "note_written",
    "only_maintainer",
    "open_copy",
    "open_with_lock",
    "read_relations",
    "remove_empty_log",
    "rows_as_dicts",
    "sample_sizes",
    "sample_sizes_hourly",
    "schema_version_of",
    "seal",
    "shortened",
    "snapshots_until",
    "spilled_in",
    "store_of",
    "store_offsets",
    "stored_offsets",
    "table_checksums",
    "tasks_named",
    "tell_executions_apart",
    "transaction",
    "translated_errors",
    "unglobbed",
    "utc_now",
    "with_whole_digits",
    "written_files",
    "written_here",
]
