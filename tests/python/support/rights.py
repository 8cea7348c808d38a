"""Processes that file modes hold for, though the tests may run as root."""

from __future__ import annotations

import os

# Root without the capabilities that pass over modes is as any other user.
_DROPPED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


def bound_by_modes(*command: str) -> list[str]:
    """Return a command that may do what modes allow."""
    return [*(_DROPPED if os.geteuid() == 0 else []), *command]
