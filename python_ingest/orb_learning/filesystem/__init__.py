"""Files that survive a power cut, files of tokens, and the lock of processes and threads."""

from orb_learning.filesystem.durable import is_full, sha256_of, sync, translated_disk_errors
from orb_learning.filesystem.names import printable
from orb_learning.filesystem.private import (
    is_open_to_others,
    make_folder,
    make_private,
    open_private,
    write_private,
)
from orb_learning.filesystem.rw_lock import Lock, ReadWriteLock
from orb_learning.filesystem.tokens import SHORTEST_TOKEN, read_token_users
from orb_learning.filesystem.urls import public_url, without_secrets

__all__ = [
    "SHORTEST_TOKEN",
    "Lock",
    "ReadWriteLock",
    "is_full",
    "is_open_to_others",
    "make_folder",
    "make_private",
    "open_private",
    "printable",
    "public_url",
    "read_token_users",
    "sha256_of",
    "sync",
    "translated_disk_errors",
    "without_secrets",
    "write_private",
]
