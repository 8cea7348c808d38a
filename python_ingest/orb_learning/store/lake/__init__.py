"""A lake: its catalog in Postgres, its rows as Parquet in a folder or in object storage."""

from orb_learning.store.lake.attaching import CONFIG as LAKE_CONFIG
from orb_learning.store.lake.attaching import attach, require_data_place
from orb_learning.store.lake.door import Door
from orb_learning.store.lake.lake_errors import translated_lake_errors
from orb_learning.store.lake.opening import open_lake
from orb_learning.store.lake.schema import migrate_lake

__all__ = [
    "LAKE_CONFIG",
    "Door",
    "attach",
    "migrate_lake",
    "open_lake",
    "require_data_place",
    "translated_lake_errors",
]
