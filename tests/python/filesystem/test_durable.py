"""Errors of the disk become the caller's own, with a full disk told apart."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from orb_learning.filesystem.durable import (
    read_regular,
    sha256_of,
    sync,
    translated_disk_errors,
)


class FullError(Exception):
    pass


class FailedError(Exception):
    pass


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        sqlite3.OperationalError("database or disk is full"),
    ],
)
def test_a_full_disk_is_told_apart(error: Exception) -> None:
    with (
        pytest.raises(FullError) as caught,
        translated_disk_errors(FullError, FailedError),
    ):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(errno.EACCES, "disk is full of files that others own"),
        sqlite3.OperationalError("attempt to write a readonly database"),
    ],
)
def test_any_other_error_of_the_disk_is_passed_on(error: Exception) -> None:
    with (
        pytest.raises(FailedError) as caught,
        translated_disk_errors(FullError, lambda error: FailedError(str(error))),
    ):
        raise error
    assert str(caught.value) == str(error)


def test_an_error_that_is_not_of_the_disk_stays_itself() -> None:
    with pytest.raises(KeyError), translated_disk_errors(FullError, FailedError):
        raise KeyError


def test_what_is_no_regular_file_is_neither_waited_for_nor_read_without_end(
    tmp_path: Path,
) -> None:
    pipe, endless, folder = tmp_path / "pipe", tmp_path / "endless", tmp_path / "folder"
    os.mkfifo(pipe)
    endless.symlink_to("/dev/zero")
    folder.mkdir()
    for path in (pipe, endless, folder, tmp_path / "a\0b", tmp_path / ("x" * 300)):
        for read in (sha256_of, read_regular) if path != pipe else (sha256_of, read_regular, sync):
            with pytest.raises(OSError, match=r".") as caught:
                read(path)
            assert caught.value.strerror


def test_a_file_is_read_whole_up_to_a_size(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_regular(file, most_bytes=5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_regular(file, most_bytes=4)
