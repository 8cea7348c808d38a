"""Which executions and solutions were like a text."""

from orb_learning.search.queries import (
    known_vector,
    new_vector,
    similar_executions,
    similar_solutions,
    vector_of,
)
from orb_learning.search.vector_index import index_folder, update_index

__all__ = [
    "index_folder",
    "known_vector",
    "new_vector",
    "similar_executions",
    "similar_solutions",
    "update_index",
    "vector_of",
]
