"""An approximate index of the vectors of text_embeddings, beside the database.

It is derived from the table and can be deleted at any time. A manifest says which rows it holds, by
a fingerprint that DuckDB computes anew whenever the index is opened: an index that does not hold
exactly the table's rows up to its last number, or whose file is not the one that was written, is
not used. Rows with larger numbers came later; they are searched beside it until they are added.

The index file has a new name each time and the manifest, which names it, is renamed into its place:
whoever reads finds the old index or the new one, and a kill leaves the old one.

The library, faiss, is in the extra ``index``; it is imported only where an index is used.
"""

from orb_learning.search.vector_index.building import IndexResult, update_index
from orb_learning.search.vector_index.searching import (
    VectorIndex,
    find_index,
    index_folder,
    open_index,
)

__all__ = [
    "IndexResult",
    "VectorIndex",
    "find_index",
    "index_folder",
    "open_index",
    "update_index",
]
