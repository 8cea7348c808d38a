"""Whatever happens to a file of a backup, validating the backup finds it."""

from __future__ import annotations

import os
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import Backup
from orb_learning.backup.verify import validate_backup
from orb_learning.ingest.relay import load_once
from orb_learning.outbox.writer import Outbox
from orb_learning.record.model import ExecutionRecord
from orb_learning.settings import load_settings

pytestmark = pytest.mark.slow

CORRUPTIONS = int(os.environ.get("ORB_CORRUPTIONS", "1000"))
SEED = int(os.environ.get("ORB_SEED", str(time.time_ns() % 2**32)))


def test_every_random_corruption_of_a_backup_is_found(
    database: Path, tmp_path: Path, tell: Callable[..., None]
) -> None:
    outbox = Outbox(tmp_path / "outbox")

    def backup() -> Backup:
        for loaded in (True, False):
            for _ in range(50):
                record = ExecutionRecord(task_description="x" * 100, repo=str(uuid.uuid4()))
                assert outbox.put("execution", record.model_dump_json())
            if loaded:
                load_once(database, outbox.folder)
        return make_backup(load_settings(database_path=database)).backup

    other, one = backup(), backup()
    files = sorted(path for path in one.folder.rglob("*") if path.is_file())
    assert [path.suffix for path in files] == ["", ".db", ".json", ".sqlite"]
    chance = random.Random(SEED)  # noqa: S311
    found: Counter[str] = Counter()
    began = time.monotonic()
    for _ in range(CORRUPTIONS):
        file = chance.choice(files)
        before = file.read_bytes()
        kind = corrupt(file, other.folder / file.relative_to(one.folder), chance)
        changed = file.read_bytes() if file.exists() else None
        assert changed != before
        problems = validate_backup(one.folder).problems
        assert problems, f"seed {SEED}: {kind} of {file.name} was not found"
        found[f"{kind} of {file.suffix or file.name}"] += 1
        file.write_bytes(before)
    assert validate_backup(one.folder).problems == []
    tell(
        f"{found.total():,} corruptions of a backup (seed {SEED}) in "
        f"{time.monotonic() - began:.0f} s, all found",
        *(f"  {count:4} {what}" for what, count in sorted(found.items())),
    )


def corrupt(file: Path, twin: Path, chance: random.Random) -> str:
    """Do something to a file; its twin is the same file of another backup."""
    content = bytearray(file.read_bytes())
    kind = chance.choices(
        ["bit flip", "truncation", "growth", "zeroed block", "swap", "deletion"],
        [80, 10, 3, 3, 10, 2],
    )[0]
    place = chance.randrange(len(content))
    if kind == "bit flip" or (kind == "zeroed block" and not any(content[place : place + 512])):
        kind = "bit flip"
        content[place] ^= 1 << chance.randrange(8)
    elif kind == "truncation":
        del content[place:]
    elif kind == "growth":
        content += chance.choice([b"\0", b"\n", b" "])
    elif kind == "zeroed block":
        block = content[place : place + 512]
        content[place : place + 512] = bytes(len(block))
    elif kind == "swap":
        content[:] = twin.read_bytes()
    file.write_bytes(content)
    if kind == "deletion":
        file.unlink()
    return kind


def test_a_file_that_would_be_read_as_a_part_of_the_backup_is_found(
    database: Path, tmp_path: Path
) -> None:
    load_once(database, tmp_path / "outbox")
    backup = make_backup(load_settings(database_path=database)).backup
    for name in ("learning.db.wal", "other.db", "outbox/1-1.sqlite", "outbox/1-1.sqlite-wal"):
        (backup.folder / name).touch()
        [by_sums, by_manifest] = validate_backup(backup.folder).problems
        assert by_sums.startswith(f"{name} is not in SHA256SUMS")
        assert by_manifest.startswith(f"{name} is not in manifest.json")
        (backup.folder / name).unlink()
    (backup.folder / "note.txt").write_text("harmless")
    assert validate_backup(backup.folder).problems == []


def test_two_backups_whose_folders_were_swapped_are_found(database: Path, tmp_path: Path) -> None:
    load_once(database, tmp_path / "outbox")
    one, other = (
        make_backup(load_settings(database_path=database)).backup.folder for _ in range(2)
    )
    one.rename(tmp_path / "aside")
    other.rename(one)
    (tmp_path / "aside").rename(other)
    for folder in (one, other):
        [problem] = validate_backup(folder).problems
        assert problem.startswith("its manifest is that of the backup of 2")
    one.rename(tmp_path / "whatever")
    assert validate_backup(tmp_path / "whatever").problems == []
