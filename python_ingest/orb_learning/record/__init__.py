"""The record of an execution: its 27 fields, and how they are encoded."""

from orb_learning.record.encoding import quick_json, record_json
from orb_learning.record.model import COLUMNS, STORED_COLUMNS, ExecutionRecord
from orb_learning.record.text_limits import LONG_TEXTS, LONGEST_TEXT, cut_texts, length_note
from orb_learning.record.validation import describe_error
from orb_learning.record.vector_codec import DIMENSIONS, VectorError, arrow_lists, pack_vector

__all__ = [
    "COLUMNS",
    "DIMENSIONS",
    "LONGEST_TEXT",
    "LONG_TEXTS",
    "STORED_COLUMNS",
    "ExecutionRecord",
    "VectorError",
    "arrow_lists",
    "cut_texts",
    "describe_error",
    "length_note",
    "pack_vector",
    "quick_json",
    "record_json",
]
