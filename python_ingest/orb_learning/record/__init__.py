"""The record of an execution: its 27 fields, and how they are encoded."""

from orb_learning.record.encoding import quick_json, record_json
from orb_learning.record.model import COLUMNS, STORED_COLUMNS, ExecutionRecord
from orb_learning.record.validation import describe_error
from orb_learning.record.vector_codec import DIMENSIONS, VectorError, arrow_lists, pack_vector

__all__ = [
    "COLUMNS",
    "DIMENSIONS",
    "STORED_COLUMNS",
    "ExecutionRecord",
    "VectorError",
    "arrow_lists",
    "describe_error",
    "pack_vector",
    "quick_json",
    "record_json",
]
