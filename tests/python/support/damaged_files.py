"""Files that are whole to look at, and cannot be read."""

from __future__ import annotations

from pathlib import Path


def damage_pages(parquet: Path) -> None:
    """Overwrite all of a Parquet file but its footer, which still says what it holds."""
    content = bytearray(parquet.read_bytes())
    footer = int.from_bytes(content[-8:-4], "little") + 8
    content[4:-footer] = b"\xff" * (len(content) - footer - 4)
    parquet.write_bytes(content)
