"""Every file that the package writes is its owner's alone, and none is written through a link."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from restore_cases import EVERYTHING_IS_PRUNED, Place

from orb_learning.errors import DatabaseError, OrbError
from orb_learning.filesystem.private import is_open_to_others, make_folder
from orb_learning.outbox.pruning import PRUNE_LOG, pruned_segments
from orb_learning.outbox.writer import Outbox
from orb_learning.search.vector_index.on_disk import exclusive_build
from orb_learning.store import connect, transaction, written_files


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def write_everything(place: Place) -> None:
    place.put(1, 2)
    place.load()
    backup = place.back_up()
    place.put(3)
    place.load(EVERYTHING_IS_PRUNED)
    place.restore(backup)
    with exclusive_build(place.folder / "index"):
        pass


def modes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.lstat().st_mode))
        for path in folder.rglob("*")
    }


def test_files_are_their_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    place = Place(tmp_path / "data/learning.db")
    make_folder(place.folder)
    live = Outbox(place.outbox_folder)
    assert live.put("execution", "{}")  # its log and index, too
    write_everything(place)
    found = modes(tmp_path)
    live.close()
    assert len(found) > 20
    for name, mode in found.items():
        assert mode == ("0o700" if (tmp_path / name).is_dir() else "0o600"), name


def test_the_log_of_an_open_database_is_its_owners_alone(tmp_path: Path) -> None:
    database = tmp_path / "learning.db"
    log = database.with_name("learning.db.wal")
    with connect(database) as connection:
        for number in range(3):
            with transaction(connection):
                connection.execute(f"create table t{number} as from range(9)")
            assert log.stat().st_size
            assert modes(tmp_path)[log.name] == "0o600"
            connection.execute("checkpoint")  # which deletes it
    with connect(database):
        assert log.exists()
    assert not log.exists()


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o700, "0o600"), (0o2770, "0o660")])
def test_a_log_that_duckdb_makes_again_is_private_in_our_process(
    tmp_path: Path, folder_mode: int, file_mode: str
) -> None:
    """Only a command is a process of ours; the umask of the one that it runs in is 0 here."""
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(folder_mode)
    script = """
import os, subprocess, sys
from pathlib import Path
from orb_learning.cli import app
from orb_learning.filesystem import callers_umask
from orb_learning.store import connect

app(["backups"], standalone_mode=False)
file = Path(os.environ["ORB_DATABASE"])
with connect(file) as connection:
    connection.execute("create table one as from range(9)")
    connection.execute("checkpoint")
    log = file.with_name(file.name + ".wal")
    assert not log.exists()
    connection.execute("create table two as from range(9)")  # in no transaction of ours
    print(oct(log.stat().st_mode & 0o777))
    print(oct(file.stat().st_mode & 0o777))
print(callers_umask())  # the page's, which is made to be shown
print(subprocess.check_output(["sh", "-c", "umask"], text=True))
"""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "ORB_DATABASE": str(folder / "learning.db")},
        capture_output=True,
        text=True,
        check=True,
    )
    said = ended.stdout.split()[-4:]
    assert said[:3] == [file_mode, file_mode, "0"]
    assert int(said[3], 8) == 0o777 & ~folder_mode  # of what it starts, such as dbt


def test_no_log_is_written_through_a_link(tmp_path: Path) -> None:
    database, victim = tmp_path / "learning.db", tmp_path / "victim"
    log = tmp_path / "learning.db.wal"
    victim.touch()
    for is_new in (True, False):
        log.symlink_to(victim)
        with pytest.raises(DatabaseError, match="is a link"), connect(database):
            pass
        assert database.exists() is not is_new
        log.unlink()
        with connect(database):
            pass
    assert victim.read_bytes() == b""


def test_a_shared_folder_is_its_groups_too(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o2770)
    write_everything(Place(folder / "learning.db"))
    for name, mode in modes(folder).items():
        assert mode == ("0o2770" if (folder / name).is_dir() else "0o660"), name


def test_locks_of_older_versions_are_closed_to_others(place: Place) -> None:
    lock = place.folder / "learning.db.turn"
    lock.touch(0o666)
    place.change()
    assert stat.S_IMODE(lock.stat().st_mode) == 0o600


def test_no_file_is_written_through_a_link(tmp_path: Path) -> None:
    place = Place(tmp_path / "data/learning.db")
    make_folder(place.folder)
    write_everything(place)
    victim = tmp_path / "victim"
    victim.write_text("another's")
    names = [path for path in place.folder.rglob("*") if path.is_file() and path != place.database]
    for path in names:
        if "before-restore" in path.name or "backups" in path.parts or path.suffix == ".sqlite":
            continue
        path.unlink()
        path.symlink_to(victim)
        with suppress(OrbError, OSError):
            write_everything(place)
        assert victim.read_text() == "another's", path
        path.unlink(missing_ok=True)


def test_nobody_waits_for_a_pipe_in_the_place_of_a_list(tmp_path: Path) -> None:
    database = tmp_path / "learning.db"
    os.mkfifo(tmp_path / "learning.db.pages")
    os.mkfifo(tmp_path / PRUNE_LOG)
    assert written_files(database) == []
    with pytest.raises(OSError, match="not a regular file"):
        pruned_segments(tmp_path)


def test_a_folder_is_open_where_every_folder_above_it_is() -> None:
    with tempfile.TemporaryDirectory() as made:  # those above pytest's own are closed
        above = Path(made)
        folder = above / "data"
        folder.mkdir()
        folder.chmod(0o755)
        above.chmod(0o755)
        assert is_open_to_others(folder)
        above.chmod(0o700)
        assert not is_open_to_others(folder)
        above.chmod(0o755)
        folder.chmod(0o700)
        assert not is_open_to_others(folder)
