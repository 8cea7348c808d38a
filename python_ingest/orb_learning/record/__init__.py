"""The record of an execution: its 27 fields, and how they are encoded."""

from orb_learning.record.encoding import quick_json, record_json
from orb_learning.record.identity import (
    EXTERNAL_ID,
    MADE_OF_IDS,
    OWN_EXTERNAL_ID,
    identify,
    is_canonical_uuid,
    is_uuid_sql,
    task_uuid,
    task_uuid_sql,
    with_task_uuid,
)
from orb_learning.record.model import COLUMNS, STORED_COLUMNS, ExecutionRecord
from orb_learning.record.text_limits import LONG_TEXTS, LONGEST_TEXT, cut_texts, length_note
from orb_learning.record.times import (
    EARLIEST,
    FIRST_SECOND,
    LAST_SECOND,
    LATEST,
    UNITS,
    from_epoch,
    to_utc,
)
from orb_learning.record.validation import describe_error
from orb_learning.record.vector_codec import DIMENSIONS, VectorError, arrow_lists, pack_vector
from orb_learning.record.words import (
    FAILED,
    INFINITY,
    NO,
    NOT_A_NUMBER,
    NULL_MARKS,
    SUCCEEDED,
    YES,
    outcome_of,
)

__all__ = [
    "COLUMNS",
    "DIMENSIONS",
    "EARLIEST",
    "EXTERNAL_ID",
    "FAILED",
    "FIRST_SECOND",
    "INFINITY",
    "LAST_SECOND",
    "LATEST",
    "LONGEST_TEXT",
    "LONG_TEXTS",
    "MADE_OF_IDS",
    "NO",
    "NOT_A_NUMBER",
    "NULL_MARKS",
    "OWN_EXTERNAL_ID",
    "STORED_COLUMNS",
    "SUCCEEDED",
    "UNITS",
    "YES",
    "ExecutionRecord",
    "VectorError",
    "arrow_lists",
    "cut_texts",
    "describe_error",
    "from_epoch",
    "identify",
    "is_canonical_uuid",
    "is_uuid_sql",
    "length_note",
    "outcome_of",
    "pack_vector",
    "quick_json",
    "record_json",
    "task_uuid",
    "task_uuid_sql",
    "to_utc",
    "with_task_uuid",
]
