"""Errors of the disk become the caller's own, with a full disk told apart."""

from __future__ import annotations

import errno
import os
import sqlite3

import pytest

from orb_learning.filesystem.durable import translated_disk_errors


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
