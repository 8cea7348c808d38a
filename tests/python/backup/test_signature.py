"""A backup that is signed is restored only with the code of the key."""

from __future__ import annotations

from pathlib import Path

import pytest
from backup_cases import sign_again
from restore_cases import Place

from orb_learning.backup.offsite import copy_backup
from orb_learning.backup.verify import check_backup
from orb_learning.errors import BackupError, InvalidBackupError


def with_key(place: Place, key: Path) -> None:
    place.settings = place.settings.model_copy(update={"backup_key_file": key})


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "elsewhere.key"
    file.write_text("0123456789abcdef0123456789abcdef\n")
    file.chmod(0o600)
    return file


def test_a_backup_that_another_one_made_is_not_restored(tmp_path: Path, key: Path) -> None:
    place = Place(tmp_path / "data/learning.db")
    place.folder.mkdir()
    place.put(1)
    place.load()
    unsigned = place.back_up()
    with_key(place, key)
    with pytest.raises(InvalidBackupError, match="not known whose"):
        place.restore(unsigned)
    backup = place.back_up()
    assert place.restore(backup).problems == []
    copied = Path(copy_backup(backup, str(tmp_path / "copies")).removeprefix("file://"))
    assert check_backup(copied, key).problems == []
    # Whoever can write the folder writes checksums that fit, and has no key.
    sign_again(backup)
    (backup.folder / "SHA256SUMS").write_text(
        (backup.folder / "SHA256SUMS").read_text().replace("  manifest.json", "  ./manifest.json")
    )
    for validate in (True, False):
        with pytest.raises(InvalidBackupError, match="not by the key"):
            place.restore(backup, validate=validate)
    assert place.numbers() == [1]


def test_a_key_that_others_may_read_or_that_is_short_is_refused(tmp_path: Path, key: Path) -> None:
    place = Place(tmp_path / "learning.db")
    place.put(1)
    place.load()
    with_key(place, key)
    key.chmod(0o644)
    with pytest.raises(BackupError, match="its owner's alone"):
        place.back_up()
    key.chmod(0o600)
    key.write_text("short")
    with pytest.raises(BackupError, match="its owner's alone"):
        place.back_up()
    key.unlink()
    with pytest.raises(BackupError, match="cannot be read"):
        place.back_up()
    assert list(place.backups.glob("2*")) == []
