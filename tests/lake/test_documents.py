"""What docs/lake.md says to run does what it says."""

from __future__ import annotations

import re

from lakes import REPOSITORY, Lake

from orb_learning.store.connection import connect

TEXT = (REPOSITORY / "docs/lake.md").read_text("utf-8")


def block(language: str) -> str:
    """Return the one block of a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return str(found)


def test_a_reader_with_that_role_reads_and_no_more(lake: Lake) -> None:
    with connect(lake.locator):
        pass
    for statement in block("sql").split(";\n"):
        if statement.strip():
            lake.sql(statement)
    reader = str(lake.locator).replace("user=postgres", "user=orb_reader")
    with connect(reader, read_only=True) as connection:
        assert connection.execute("select count(*) from raw.executions").fetchall() == [(0,)]
    refused = lake.run("orb", "load", check=False, ORB_DATABASE=reader)
    assert refused.returncode != 0
    assert len(refused.stderr.strip().splitlines()) == 1
    lake.sql("drop owned by orb_reader")
    lake.sql("drop role orb_reader")


def test_every_command_that_is_not_done_is_named() -> None:
    from test_errors import NOT_DONE

    for command, *_ in NOT_DONE:
        assert f"`orb {command}`" in " ".join(TEXT.split())
