"""Write docs/reference.md, reports.md and recording.md and dbt's exposures from the code.

Tests hold the files equal to what this makes.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer.main
import yaml
from click import Command, Context

sys.path.insert(0, str(Path(__file__).parent))
from generate_recording import recording

from orb_learning.cli.app import app
from orb_learning.figures.alerts import database_alerts
from orb_learning.figures.health import plain_status
from orb_learning.figures.storage import storage_status
from orb_learning.mcp.server import READING
from orb_learning.record.model import COLUMNS
from orb_learning.settings import ENV_PREFIX, LearningSettings

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs/reference.md"
REPORTS = ROOT / "docs/reports.md"
RECORDING = ROOT / "docs/recording.md"
EXPOSURES = ROOT / "models/exposures/exposures.yml"
PACKAGE = ROOT / "python_ingest/orb_learning"
ASKING = [
    PACKAGE / "search/queries.py",
    *(
        PACKAGE / f"figures/{name}.py"
        for name in (
            *("alerts", "funnel", "health", "patterns", "pools", "similar", "status"),
            *("storage", "tiers"),
        )
    ),
]
"""Modules whose functions the commands and LearningDatabase call, besides those of the tools."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def reference() -> str:
    """Return the text of docs/reference.md."""
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    parts = [
        "# Reference",
        "Made from the code by `make docs`; edit the code, not this page.",
        "## The record: 27 columns",
        _columns(),
        "## Rules",
        "One definition each, in `dbt_project.yml`. As in a CHECK, unknown (NULL) holds. A version "
        "that breaks a rule of kind *reject* goes to `rejected_executions`. One that breaks a rule "
        "of kind *warn* is let in, and `dbt build` reports it.",
        _rules(project["vars"]["execution_rules"]),
        "Feedback that breaks one is refused when it is given. What came another way stays in "
        "`stg_feedback`, with the names of what it broke, and counts nowhere.",
        _rules(project["vars"]["feedback_rules"]),
        "## Settings",
        "Read from the environment; `orb --database FILE` names the database of one command. "
        f"`ORB_DATABASE` goes before `{ENV_PREFIX}DATABASE_PATH`, and dbt reads both.",
        _settings(),
        "## Models",
        _models(),
        "## Commands",
        _commands(),
    ]
    return "\n\n".join(parts) + "\n"


def reports() -> str:
    """Return the text of docs/reports.md: the views of each category, and their columns."""
    folders = sorted(path for path in (ROOT / "models/reports").iterdir() if path.is_dir())
    parts = [
        "# Reports",
        "Made from the models by `make docs`; edit them, not this page.",
        "Every figure that people and agents see comes from one of these views, with two "
        "exceptions. The table function `alerts_at` has alerts at thresholds of one's own. The "
        "table functions in `models/search` have what was like a task. A view is as of the time "
        "when it is read. A filter on `time_range` leaves the other ranges unread. A rate has its "
        "95 % interval beside it, an average the number of rows that it is over. What is "
        "unknown is NULL and counts in no average.",
        _table(
            ["category", "views"],
            [
                [f"[{_title(folder)}](#{_title(folder).lower().replace(' ', '-')})", _views(folder)]
                for folder in folders
            ],
        ),
    ]
    cited: dict[str, None] = {}
    for folder in folders:
        rows = []
        for file in sorted(folder.glob("*.yml")):
            (model,) = yaml.safe_load(file.read_text())["models"]
            one_row = model["description"].removeprefix("One row is ")
            rows.append([f"`{model['name']}`", one_row, _column_names(model)])
            cited |= dict.fromkeys(
                (column["name"], _cited_block(column)) for column in model["columns"]
            )
        parts += [f"## {_title(folder)}", _table(["view", "its grain", "columns"], rows)]
    described = _doc_blocks()
    meanings: dict[str, list[str]] = {}
    for name, block in cited:
        meanings.setdefault(name, []).append(described[block].replace("\n", " "))
    columns = [[f"`{name}`", " Or: ".join(meanings[name])] for name in sorted(meanings)]
    parts += ["## Columns", _table(["column", "what it is"], columns)]
    return "\n\n".join(parts) + "\n"


def _title(folder: Path) -> str:
    return folder.name.replace("_", " ").capitalize()


def _views(folder: Path) -> str:
    return ", ".join(f"`{file.stem}`" for file in sorted(folder.glob("*.sql")))


def _column_names(model: dict[str, Any]) -> str:
    return ", ".join(f"`{column['name']}`" for column in model["columns"])


def _cited_block(column: dict[str, str]) -> str:
    return re.sub(r"{{ doc\('(\w+)'\) }}", r"\1", column["description"])


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in lines
    )


def _doc_blocks() -> dict[str, str]:
    text = (ROOT / "models/columns.md").read_text()
    blocks = re.findall(r"{% docs (\w+) %}\n(.*?)\n{% enddocs %}", text, re.DOTALL)
    return dict(blocks)


def exposures() -> str:
    """Return the text of models/exposures/exposures.yml: who reads which public relation."""
    readers = [*_reading_tools(), *_reading_commands()]
    questions = (PACKAGE / "figures/questions.py").read_text()
    summary = "LearningDatabase, for an orchestrator's own code."
    relations = _named_in(_what_is_named_in(questions, set()))
    readers.append(("python_learning_database", "application", summary, relations))
    page = [file for file in (PACKAGE / "page").rglob("*") if file.suffix in (".py", ".jinja")]
    page_summary = "`orb report`: the page, one file that opens without a network."
    # What page, tools and commands share.
    page += [PACKAGE / f"figures/{name}.py" for name in ("funnel", "routing", "routing_panels")]
    readers.append(("page_orb_report", "dashboard", page_summary, _relations_in(*page)))
    for name in ("analysts", "learning", "statistics"):
        document = ROOT / f"docs/{name}.md"
        title = document.read_text().splitlines()[0].removeprefix("# ")
        relations = _relations_in(document)
        readers.append((f"docs_{name}", "analysis", f"{title}: {name}.md.", relations))
    entries = [
        {
            "name": name,
            "type": kind,
            "description": summary,
            "owner": {"name": "maintainers"},
            "depends_on": [f"ref('{relation}')" for relation in sorted(relations)],
        }
        for name, kind, summary, relations in sorted(readers, key=lambda reader: reader[0])
        if relations
    ]
    head = "# Made from the code by `make docs`; edit the code, not this file.\n"
    return head + yaml.safe_dump({"exposures": entries}, sort_keys=False, width=100)


Reader = tuple[str, str, str, set[str]]
"""Name, type, description, and the relations that it reads."""


def _reading_tools() -> Iterator[Reader]:
    every = set(_public_relations())
    for tool in sorted(READING, key=lambda tool: tool.__name__):
        file = Path(inspect.getfile(tool))
        summary = (ast.get_docstring(ast.parse(file.read_text())) or "").splitlines()[0]
        yield (
            f"mcp_{tool.__name__}",
            "application",
            f"The MCP tool {summary.replace('``', '`')}",
            every if tool.__name__ == "query" else _read_by(tool),
        )


def _read_by(figure: Any) -> set[str]:
    file = Path(inspect.getfile(figure))
    relations = _relations_in(file)
    relations |= _named_in(_with_what_it_calls(file, figure.__name__, set()))
    if "snapshot.result(" in file.read_text():  # which says of when it is
        relations |= _relations_in(PACKAGE / "figures/reader.py")
    if "read_group(" in file.read_text():
        relations |= _relations_in(PACKAGE / "figures/groups.py")
    return relations


def _reading_commands() -> Iterator[Reader]:
    tools = {name.removeprefix("mcp_"): relations for name, _, _, relations in _reading_tools()}
    # Figures of their own in Python, which agents get with database_status.
    tools |= {figure.__name__: _read_by(figure) for figure in (database_alerts, storage_status)}
    tools["database_status"] = _read_by(plain_status)
    group: Any = typer.main.get_command(app)
    for name, command in sorted(group.commands.items()):
        if not command.callback or getattr(command, "commands", None):
            continue
        callback = inspect.unwrap(command.callback)
        source = _with_what_it_calls(Path(inspect.getfile(callback)), callback.__name__, set())
        relations = _named_in(source)
        for tool in re.findall(r"\bget_(\w+)\(", source):
            relations |= tools.get(tool, set())
        if relations:
            summary = f"`orb {name}`: {(command.help or '').splitlines()[0]}"
            yield f"orb_{name.replace('-', '_')}", "application", summary, relations


def _with_what_it_calls(file: Path, function: str, seen: set[tuple[Path, str]]) -> str:
    """Return the code of a function and of those of its module and of ASKING that it names."""
    if (file, function) in seen:
        return ""
    seen.add((file, function))
    source = _functions(file).get(function, "")
    return "\n".join([source, _what_is_named_in(source, seen, file)]) if source else ""


@cache
def _functions(file: Path) -> dict[str, str]:
    """Return the code of a module's functions by their names, without docstrings."""
    functions = {}
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, FUNCTIONS):
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
            functions[node.name] = ast.unparse(node)
    return functions


def _what_is_named_in(source: str, seen: set[tuple[Path, str]], *files: Path) -> str:
    """Return the code of the functions of these files, and of ASKING, that a text names."""
    names = sorted(set(re.findall(r"\w+", source)))
    return "\n".join(
        _with_what_it_calls(place, name, seen) for name in names for place in [*files, *ASKING]
    )


def _public_relations() -> list[str]:
    folders = ("reports", "marts", "public", "search")
    files = [file for name in folders for file in (ROOT / "models" / name).rglob("*.sql")]
    return [file.stem for file in files if not file.stem.startswith("int_")]


def _relations_in(*files: Path) -> set[str]:
    return _named_in("\n".join(file.read_text() for file in files))


def _named_in(source: str) -> set[str]:
    # These two are words of every day, too.
    plain = {"executions", "metadata"}
    words = set(re.findall(r"\w+", source)) - plain
    asked = set(re.findall(r"\b(?:from|join) (executions|metadata)\b", source))
    return {relation for relation in _public_relations() if relation in words | asked}


def _columns() -> str:
    described = _doc_blocks()
    rows = [
        [str(number), f"`{name}`", kind, described[name]]
        for number, (name, kind) in enumerate(COLUMNS.items(), start=1)
    ]
    return _table(["#", "column", "type", "what it is"], rows)


def _rules(rules: dict[str, dict[str, str]]) -> str:
    rows = [
        [f"`{name}`", f"`{rule['holds']}`", rule["on_break"], rule["reason"]]
        for name, rule in rules.items()
    ]
    return _table(["rule", "holds when", "kind", "reason"], rows)


def _settings() -> str:
    rows = []
    for name, field in LearningSettings.model_fields.items():
        bounds = {
            key: getattr(part, key)
            for part in field.metadata
            for key in ("ge", "le")
            if hasattr(part, key)
        }
        short = {"database_path": "ORB_DATABASE", "outbox_path": "ORB_OUTBOX"}
        variable = short.get(name, f"{ENV_PREFIX}{name.upper()}")
        range_text = f"{bounds['ge']} to {bounds['le']}" if len(bounds) == 2 else ""
        rows.append(
            [
                f"`learning.{name}`",
                f"`{variable}`",
                f"`{field.default}`",
                range_text,
                field.description or "",
            ]
        )
    return _table(["setting", "variable", "default", "range", "what it is"], rows)


def _models() -> str:
    rows = []
    models = ROOT / "models"
    for file in sorted(models.rglob("*.sql")):
        first = file.read_text().splitlines()[0].removeprefix("-- ")
        rows.append([file.relative_to(models).parts[0], f"`{file.stem}`", first])
    return _table(["layer", "model", "its grain"], rows)


def _commands() -> str:
    group: Any = typer.main.get_command(app)
    sections = []
    for name in sorted(group.commands):
        sections.append(_command(name, group.commands[name]))
    return "\n\n".join(sections)


def _command(name: str, command: Command) -> str:
    nested: dict[str, Command] = getattr(command, "commands", {})
    if nested:
        return "\n\n".join(_command(f"{name} {part}", nested[part]) for part in sorted(nested))
    usage = " ".join(command.collect_usage_pieces(Context(command)))
    summary = (command.help or "").strip().splitlines()[0]
    lines = [f"`orb {name} {usage}`: {summary}"]
    for parameter in command.params:
        described = getattr(parameter, "help", None)
        if described:
            lines.append(f"- `{'`, `'.join(parameter.opts)}`: {described}")
    return "\n".join(lines)


if __name__ == "__main__":
    REFERENCE.write_text(reference())
    REPORTS.write_text(reports())
    RECORDING.write_text(recording())
    EXPOSURES.write_text(exposures())
