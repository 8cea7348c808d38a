"""The time ranges that figures are asked for in, and by what; macros/reports/ has the lengths."""

from __future__ import annotations

from typing import Literal, get_args

TimeRange = Literal["1h", "24h", "7d", "30d", "90d"]
TIME_RANGES: tuple[TimeRange, ...] = get_args(TimeRange)

Group = Literal["tier", "pool", "repository", "task_type", "model", "error", "day"]
GROUPS: tuple[Group, ...] = get_args(Group)
