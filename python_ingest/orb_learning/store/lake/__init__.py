"""A lake: its catalog in Postgres, its rows as Parquet in a folder or in object storage."""

from orb_learning.store.lake.attaching import CONFIG as LAKE_CONFIG
from orb_learning.store.lake.attaching import attach, require_data_place
from orb_learning.store.lake.catalog import LakeFiles
from orb_learning.store.lake.door import Door
from orb_learning.store.lake.dumping import dump_catalog, open_dump
from orb_learning.store.lake.lake_errors import translated_lake_errors
from orb_learning.store.lake.opening import open_lake
from orb_learning.store.lake.replacing import LakeInHand, lake_in_hand
from orb_learning.store.lake.schema import migrate_lake
from orb_learning.store.lake.tending import FILES_KEPT, SNAPSHOTS_KEPT, clean_up, merge_files

__all__ = [
    "FILES_KEPT",
    "LAKE_CONFIG",
    "SNAPSHOTS_KEPT",
    "Door",
    "LakeFiles",
    "LakeInHand",
    "attach",
    "clean_up",
    "dump_catalog",
    "lake_in_hand",
    "merge_files",
    "migrate_lake",
    "open_dump",
    "open_lake",
    "require_data_place",
    "translated_lake_errors",
]
