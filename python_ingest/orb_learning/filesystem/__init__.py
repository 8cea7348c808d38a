"""Files that survive a power cut, and the lock that processes and threads share."""

from orb_learning.filesystem.durable import is_full, sha256_of, sync, translated_disk_errors
from orb_learning.filesystem.names import printable
from orb_learning.filesystem.rw_lock import Lock, ReadWriteLock
from orb_learning.filesystem.urls import public_url, without_secrets

__all__ = [
    "Lock",
    "ReadWriteLock",
    "is_full",
    "printable",
    "public_url",
    "sha256_of",
    "sync",
    "translated_disk_errors",
    "without_secrets",
]
