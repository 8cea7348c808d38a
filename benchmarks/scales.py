"""How many rows the benchmarks use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    name: str
    import_rows: int
    """Rows of the import, of the sizes on disk and of the indexes."""
    small_rows: int
    large_rows: int
    """The incremental build is measured at both, and the marts are checked at the large one."""
    append_rows: int
    append_rounds: int
    repeats: int
    soak_seconds: float
    curve_sizes: tuple[int, ...]
    record_counts: dict[str, int]
    """Sizes of the seed's table, by its headings."""


FULL = Scale(
    name="full",
    import_rows=1_000_000,
    small_rows=100_000,
    large_rows=10_000_000,
    append_rows=10_000,
    append_rounds=5,
    repeats=3,
    soak_seconds=600,
    curve_sizes=(10_000, 100_000, 1_000_000, 10_000_000),
    record_counts={"1K": 1_000, "10K": 10_000, "100K": 100_000, "1M": 1_000_000},
)
SMALL = Scale(
    name="small",
    import_rows=20_000,
    small_rows=20_000,
    large_rows=100_000,
    append_rows=1_000,
    append_rounds=1,
    repeats=1,
    soak_seconds=40,
    curve_sizes=(4_000, 8_000),
    record_counts={"1K": 1_000},
)
SCALES = {scale.name: scale for scale in (FULL, SMALL)}
