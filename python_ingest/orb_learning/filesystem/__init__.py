"""Files that survive a power cut, files of tokens, locks that say who has them, and the log."""

from orb_learning.filesystem.durable import (
    held_open,
    is_full,
    open_regular,
    read_regular,
    sha256_of,
    sync,
    translated_disk_errors,
)
from orb_learning.filesystem.logs import get_logger, log_in_lines
from orb_learning.filesystem.names import printable, without_controls
from orb_learning.filesystem.places import copy_there, open_place
from orb_learning.filesystem.private import (
    callers_umask,
    is_open_to_others,
    make_folder,
    make_private,
    narrow_umask,
    open_private,
    share_umask,
    write_private,
)
from orb_learning.filesystem.rw_lock import Lock, ReadWriteLock
from orb_learning.filesystem.tokens import SHORTEST_TOKEN, read_token_users
from orb_learning.filesystem.urls import (
    is_url,
    names_a_secret,
    public_url,
    public_value,
    without_secrets,
)
from orb_learning.filesystem.waiting import (
    NOTICE_SECONDS,
    WAITING,
    Waiting,
    lasting,
    say_wait,
    told_wait,
)

__all__ = [
    "NOTICE_SECONDS",
    "SHORTEST_TOKEN",
    "WAITING",
    "Lock",
    "ReadWriteLock",
    "Waiting",
    "callers_umask",
    "copy_there",
    "get_logger",
    "held_open",
    "is_full",
    "is_open_to_others",
    "is_url",
    "lasting",
    "log_in_lines",
    "make_folder",
    "make_private",
    "names_a_secret",
    "narrow_umask",
    "open_place",
    "open_private",
    "open_regular",
    "printable",
    "public_url",
    "public_value",
    "read_regular",
    "read_token_users",
    "say_wait",
    "sha256_of",
    "share_umask",
    "sync",
    "told_wait",
    "translated_disk_errors",
    "without_controls",
    "without_secrets",
    "write_private",
]
