"""What a dbt command failed of, in words for whoever ran a command of ``orb``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

MOST_NAMED = 3
"""Nodes that failed, in one message; dbt's log has all."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_HEADING = re.compile(r"^\w[\w ]* Error( in .*)?$")
"""As dbt begins its messages: ``Runtime Error in model x (models/x.sql)``."""
_INTERNAL = re.compile(r"^(> (in|called by) |compiled code at |Error encountered in )")
"""Lines about dbt's own macros and files."""
_MISSING = re.compile(r"Catalog Error: .* does not exist")
_FAILED_TEST = re.compile(r"^Got (\d+) results?, configured to fail if ")


class Event(NamedTuple):
    """A line of dbt's log in JSON."""

    name: str
    level: str
    said: str
    """As dbt prints it, without colours."""
    data: dict[str, Any]


def read_event(line: str) -> Event | None:
    """Return what a line of dbt's log in JSON says; None if it is none."""
    try:
        event = json.loads(line)
        info = event["info"]
        said = _by_orb(_COLOUR.sub("", info["msg"]))
        return Event(info["name"], info["level"], said, event["data"])
    except (ValueError, KeyError, TypeError):
        return None


def what_ended(line: str) -> str | None:
    """Return why dbt gave up, on one line, from a line of its log in JSON; None of any other."""
    event = read_event(line)
    if event is None or event.name != "MainEncounteredError" or "exc" not in event.data:
        return None
    return in_words(event.data["exc"])


def read_events(output: str) -> tuple[str, list[str]]:
    """Return what a command printed, and what it failed of, from its log in JSON.

    Args:
        output: its standard output, with ``--log-format json``.
    """
    printed, failures = [], []
    for line in output.splitlines():
        event = read_event(line)
        if event is None:
            printed.append(line)
            continue
        name, data = event.name, event.data
        if name == "PrintEvent":
            printed.append(str(data["msg"]))
        elif name.startswith("RunResultError") and "node_info" in data:
            failures.append(failure(data["node_info"]["unique_id"], data.get("msg", "")))
        elif "exc" in data:
            failures.append(in_words(data["exc"]))
    return "\n".join(printed), failures


def read_results(file: Path, since: float) -> list[str]:
    """Return what a command failed of, from dbt's ``run_results.json``; nothing if it has none.

    Args:
        file: where dbt writes it.
        since: the ``time.time`` when the command began; an older file is another one's.
    """
    try:
        if file.stat().st_mtime < since:
            return []
        results = json.loads(file.read_text("utf-8"))["results"]
        return list(_failed(results))
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _failed(results: Iterable[dict[str, Any]]) -> Iterator[str]:
    for result in results:
        if result["status"] in ("error", "fail", "runtime error"):
            yield failure(result["unique_id"], result["message"] or "")


def failure(unique_id: str, message: str) -> str:
    """Return a node's name and what is wrong with it."""
    kind, _, rest = unique_id.partition(".")
    name = ".".join(rest.split(".")[1:])
    if kind == "test":  # with a hash at its end
        name = name.partition(".")[0]
    said = in_words(message)
    if kind == "unit_test":
        said = "its rows are not those expected"
    elif test := _FAILED_TEST.match(said):
        said = f"{int(test[1]):,} rows break what it claims"
    return f"{kind.replace('_', ' ')} {name}: {said or 'no reason given'}"


def _by_orb(message: str) -> str:
    """Return a message that names the command which works wherever ``orb`` does."""
    return message.replace("`dbt build`", "`orb build`")


def in_words(message: str) -> str:
    """Return a message of dbt on one line, without its headings and the stack of its macros."""
    lines = [line.strip() for line in _by_orb(_COLOUR.sub("", message)).splitlines()]
    kept = [line for line in lines if line and not _INTERNAL.match(line)]
    while len(kept) > 1 and _HEADING.match(kept[0]):
        del kept[0]
    return " ".join(kept)


def in_one_message(
    what: str, failures: list[str], log_file: Path, *, is_selection: bool = False
) -> str:
    """Return an error's message: what failed, of what, what to do, and where to read on.

    Args:
        what: what failed.
        failures: of what.
        log_file: where to read on.
        is_selection: whether only a part of the project was to be built.
    """
    named = list(dict.fromkeys(failures))
    said = "; ".join(named[:MOST_NAMED]) or "dbt gave no reason"
    if len(named) > MOST_NAMED:
        said += f"; and {len(named) - MOST_NAMED:,} more"
    mend = "Mend it and run it again"
    if is_selection and any(_MISSING.search(failure) for failure in failures):
        mend = "What is not selected must be there: run `orb build` without a selection first"
    return f"{what} failed: {said.rstrip('.')}. {mend}; {log_file} has the details"
