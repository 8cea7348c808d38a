"""Other systems' records as executions: one SQL file a system over the relation ``source``."""

from orb_learning.mappings.catalog import (
    SystemMapping,
    known_mappings,
    mapping_from_file,
    named_mapping,
)
from orb_learning.mappings.detection import detect_mapping
from orb_learning.mappings.rows import (
    COUNTED_ATTRIBUTES,
    LONGEST_TEXT,
    define_macros,
    derive_executions,
    finish_rows,
    map_records,
)
from orb_learning.mappings.source import JSON_ENDINGS, read_file, read_payloads

__all__ = [
    "COUNTED_ATTRIBUTES",
    "JSON_ENDINGS",
    "LONGEST_TEXT",
    "SystemMapping",
    "define_macros",
    "derive_executions",
    "detect_mapping",
    "finish_rows",
    "known_mappings",
    "map_records",
    "mapping_from_file",
    "named_mapping",
    "read_file",
    "read_payloads",
]
