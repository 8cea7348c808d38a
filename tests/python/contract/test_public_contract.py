"""What others build on is written down in public_contract.json, and changes only where it does.

`make contract` writes the file anew, and keeps in it what was removed or retyped since the last
release: each of these needs its words in a Schema section of CHANGELOG's Unreleased part.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Collection, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import typer.main
from building import REPOSITORY
from mcp.server import MCPServer
from typer.testing import CliRunner

import orb_learning
from orb_learning.cli import app
from orb_learning.cli.load_commands import NOTHING_USABLE
from orb_learning.cli.maintenance_commands import BUSY_STATUS
from orb_learning.cli.options import WRONG_STATUS
from orb_learning.mcp.server import WRAPPED, make_server
from orb_learning.operations.maintenance import FAILURE_BITS
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect

FILE = Path(__file__).with_name("public_contract.json")
WITHDRAWN = "withdrawn since the last release"
RELATIONS = ["executions", "metadata", "solution_clusters", "error_resolutions"]
RELATIONS += ["executions_flat", "rejected_executions"]

Contract = dict[str, dict[str, str]]
"""What is offered → its parts, in order → the type of each."""


def relations(database: Path) -> Contract:
    found: Contract = {}
    with connect(database, read_only=True) as connection:
        rows = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() "
            "where schema_name = 'main' and not internal and (table_name in $public "
            "or suffix(table_name, '_mv') or starts_with(table_name, 'rpt_')) "
            "order by table_name, column_index",
            {"public": RELATIONS},
        ).fetchall()
        for relation, column, type_ in rows:
            found.setdefault(f"relation {relation}", {})[column] = type_
        macros = connection.execute(
            "select function_name, parameters from duckdb_functions() where schema_name = 'main' "
            "and function_type = 'table_macro' and not internal order by all"
        ).fetchall()
    for macro, parameters in macros:  # they can be given by position
        places = {f"{place}. {name}": "parameter" for place, name in enumerate(parameters, 1)}
        found[f"table macro {macro}"] = places
    return found


def tools(database: Path) -> Contract:
    # What is listed leaves out the results' schemas, by which answers are made all the same.
    server = make_server(load_settings(database_path=database))
    found: Contract = {}
    for tool in sorted(asyncio.run(MCPServer.list_tools(server)), key=lambda tool: str(tool.name)):
        found[f"tool {tool.name}, parameters"] = fields(tool.input_schema)
        schema = tool.output_schema
        if schema["properties"].keys() == {WRAPPED}:
            schema = {"$defs": schema["$defs"], **schema["properties"][WRAPPED]}
        found[f"tool {tool.name}, result"] = fields(schema)
    return found


def fields(schema: dict[str, Any]) -> dict[str, str]:
    """Name each field of a JSON schema by its path, with its types."""
    named = schema.get("$defs", {})

    def resolved(part: dict[str, Any]) -> dict[str, Any]:
        reference = part.get("$ref")
        return named[reference.rsplit("/", 1)[1]] if reference else part

    def types(part: dict[str, Any]) -> list[str]:
        part = resolved(part)
        if choices := part.get("anyOf") or part.get("oneOf"):
            return sorted({name for choice in choices for name in types(choice)})
        if values := part.get("enum") or ([part["const"]] if "const" in part else None):
            return sorted(map(repr, values))
        name = part.get("type", "any")
        if name == "array":
            return [f"array of {' | '.join(types(part.get('items', {})))}"]
        return [part.get("format", name)]

    def walk(part: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
        part = resolved(part)
        for choice in [*part.get("anyOf", []), *part.get("oneOf", [])]:
            yield from walk(choice, path)
        if part.get("type") == "array":
            yield from walk(part.get("items", {}), f"{path}[]")
        if isinstance(part.get("additionalProperties"), dict):
            yield f"{path}.*".lstrip("."), " | ".join(types(part["additionalProperties"]))
            yield from walk(part["additionalProperties"], f"{path}.*")
        for name, field in part.get("properties", {}).items():
            place = f"{path}.{name}".lstrip(".")
            is_required = " (required)" if name in part.get("required", []) else ""
            yield place, " | ".join(types(field)) + is_required
            yield from walk(field, place)

    return dict(walk(schema, ""))


def commands() -> Contract:
    def walk(name: str, command: Any) -> Iterator[tuple[str, dict[str, str]]]:
        nested: dict[str, Any] = getattr(command, "commands", {})
        if not nested:
            yield f"command {name}", dict(map(option, command.params))
        for part in sorted(nested):
            yield from walk(f"{name} {part}", nested[part])

    return dict(walk("orb", typer.main.get_command(app)))


def option(parameter: Any) -> tuple[str, str]:
    annotation = parameter.type_descriptor.annotation
    if parameter.is_flag if parameter.param_type_name == "option" else False:
        told = "flag"
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        told = " | ".join(str(member.value) for member in annotation)
    elif get_origin(annotation) is Literal:
        told = " | ".join(map(str, get_args(annotation)))
    else:
        told = str(annotation) if get_origin(annotation) else annotation.__name__
    limits = {"from": getattr(parameter, "min", None), "to": getattr(parameter, "max", None)}
    told += "".join(f" {word} {limit}" for word, limit in limits.items() if limit is not None)
    if getattr(parameter, "multiple", False) or parameter.nargs != 1:
        told += " (several)"
    told += " (required)" if parameter.required else ""
    return ", ".join([*parameter.opts, *parameter.secondary_opts]), told


def exit_statuses(tmp_path: Path) -> dict[str, str]:
    def status(*words: str) -> str:
        missing = {"ORB_DATABASE": str(tmp_path / "none" / "learning.db")}
        return str(CliRunner().invoke(app, words, env=missing).exit_code)

    return {
        "an error": status("status"),
        "a wrong use": status("status", "--no-such-option"),
        "import: nothing is usable": str(NOTHING_USABLE),
        "status, quality, alerts: something is wrong": str(WRONG_STATUS),
        "maintain: another run is at work": str(BUSY_STATUS),
        **{f"maintain: {step} failed, added up": str(bit) for step, bit in FAILURE_BITS.items()},
    }


@pytest.fixture(scope="module")
def offered(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """What the code offers."""
    return {
        **relations(empty_database),
        **tools(empty_database),
        **commands(),
        "exit statuses": exit_statuses(tmp_path_factory.mktemp("none")),
        "orb_learning": dict.fromkeys(orb_learning.__all__, "name"),
    }


def changes(before: Contract, now: Contract) -> dict[str, str]:
    """Say of each part what became of it: added, removed, retyped, or moved."""
    found: dict[str, str] = {}
    for name in [*before, *(name for name in now if name not in before)]:
        old, new = before.get(name, {}), now.get(name, {})
        for part in [*old, *(part for part in new if part not in old)]:
            if part not in new:
                found[f"{name}: {part}"] = "removed"
            elif part not in old:
                found[f"{name}: {part}"] = "added"
            elif old[part] != new[part]:
                found[f"{name}: {part}"] = f"retyped, {old[part]} is {new[part]} now"
        if [part for part in old if part in new] != [part for part in new if part in old]:
            found[f"{name}: order"] = "moved"
    return found


def withdrawn(found: dict[str, str]) -> dict[str, str]:
    """Of some changes, those that break what others have built."""
    return {part: told for part, told in found.items() if told != "added"}


def unannounced(
    gone: dict[str, str], changelog: str, offered: Collection[str] = ("relation rpt_a",)
) -> list[str]:
    """Which withdrawn parts no Schema section of the Unreleased part of the changelog names.

    Of what is no longer offered at all, its name is enough.
    """
    unreleased = re.split(r"^## ", changelog.split("## Unreleased")[1], flags=re.MULTILINE)[0]
    sections = re.findall(r"^### Schema$(.*?)(?=^### |\Z)", unreleased, re.MULTILINE | re.DOTALL)
    told = "".join(sections)
    missing = []
    for part in gone:
        owner, _, name = part.partition(": ")
        words = [owner.rsplit(" ", 1)[-1].split(",")[0], re.split(r"[ .]", name)[-1]]
        if owner not in offered:
            words = [owner.split(",")[0].rsplit(" ", 1)[-1]]
        if not all(word in told for word in words):
            missing.append(part)
    return missing


def read() -> Contract:
    contract: Contract = json.loads(FILE.read_text()) if FILE.exists() else {}
    return contract


def test_the_code_offers_what_the_public_contract_says(offered: Contract) -> None:
    contract = read()
    gone = contract.pop(WITHDRAWN, {})
    found = changes(contract, offered)
    if "ORB_WRITE_CONTRACT" in os.environ:
        gone = {**gone, **(withdrawn(found) if contract else {})}
        FILE.write_text(json.dumps({**offered, WITHDRAWN: gone}, indent=1) + "\n")
        return
    told = "\n".join(f"{part}: {what}" for part, what in found.items())
    assert not found, f"`make contract` writes it down, if it is meant:\n{told}"


def test_what_was_withdrawn_is_announced_in_the_changelog() -> None:
    contract = read()
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    missing = unannounced(contract[WITHDRAWN], changelog, contract)
    assert not missing, f"no line under Unreleased, ### Schema in CHANGELOG.md: {missing}"


def test_a_change_of_the_contract_is_told_exactly() -> None:
    before = {"relation a": {"x": "DATE", "y": "BIGINT", "z": "UUID"}, "command orb b": {"-n": "n"}}
    now = {"relation a": {"y": "UUID", "x": "DATE", "w": "UUID"}, "relation c": {"v": "DATE"}}
    found = changes(before, now)
    assert found == {
        "relation a: y": "retyped, BIGINT is UUID now",
        "relation a: z": "removed",
        "relation a: w": "added",
        "relation a: order": "moved",
        "command orb b: -n": "removed",
        "relation c: v": "added",
    }
    assert len(withdrawn(found)) == 4
    assert changes(now, now) == {}


def test_a_withdrawn_part_needs_a_schema_line_that_names_it() -> None:
    gone = {"relation rpt_a: cost": "removed"}
    named = "# Changelog\n## Unreleased\n### Schema\n- `rpt_a.cost` is gone.\n## 0.1.0\n"
    elsewhere = "## Unreleased\n### Added\n- `rpt_a.cost`\n## 0.1.0\n### Schema\n- `rpt_a.cost`\n"
    assert unannounced(gone, named) == []
    assert unannounced(gone, elsewhere) == list(gone)
    assert unannounced({"relation rpt_b: cost": "removed"}, named) == ["relation rpt_b: cost"]
    assert unannounced({"relation rpt_a: rate": "removed"}, named) == ["relation rpt_a: rate"]
    whole = {"tool count_a, result: cost": "removed", "tool count_b, result: cost": "removed"}
    assert unannounced(whole, named.replace("rpt_a.cost", "count_a")) == list(whole)[1:]
