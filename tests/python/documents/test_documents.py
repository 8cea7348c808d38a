"""What the documents say holds: they are made from the code, or their commands run."""

from __future__ import annotations

import ast
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer.main
from building import REPOSITORY
from shell_blocks import words_of_shell_blocks

from orb_learning.cli.app import app

DOCUMENTS = sorted(
    file
    for file in REPOSITORY.rglob("*.md")
    if not {".venv", ".venv-lake", "target", "node_modules", ".pytest_cache"} & set(file.parts)
)

ELSEWHERE = {
    "manifest.json",
    "routing.json",
    ".mcp.json",
    "notebooks/output_token_analysis_pipeline/results/trial_token_usage.csv",
    "task_difficulty.csv",
    *(f"models/reports/performance/rpt_slow_executions.{kind}" for kind in ("sql", "yml")),
}
"""Files of a backup, a build, a client, of the sample's source, and of the recipe for a report."""


def tracked_files() -> list[str]:
    """The files of the project, those that are not committed yet included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [name for name in listed.split("\0") if name and (REPOSITORY / name).exists()]


@pytest.mark.parametrize("document", ["recording", "reference", "reports"])
def test_a_document_is_made_from_the_code(document: str) -> None:
    generator = runpy.run_path(str(REPOSITORY / "docs/generate.py"))
    assert (REPOSITORY / f"docs/{document}.md").read_text() == generator[document](), (
        f"docs/{document}.md is stale: run `make docs`"
    )


def test_the_picture_of_the_packages_is_the_import_contract() -> None:
    drawn = re.findall(
        r"^│ (\d) │ (.+?) +│", (REPOSITORY / "docs/architecture.md").read_text(), re.MULTILINE
    )
    linter = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]
    [contract] = linter["contracts"]
    layers = [layer.replace(" | ", " · ") for layer in contract["layers"]]
    highest = len(layers) - 1
    assert drawn == [(str(highest - row), layer) for row, layer in enumerate(layers)]


def test_no_module_has_over_300_lines_and_no_function_over_60() -> None:
    long = {}
    for file in (REPOSITORY / "python_ingest/orb_learning").rglob("*.py"):
        source = file.read_text()
        if (lines := len(source.splitlines())) > 300:
            long[file.name] = lines
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > 60:
                    long[f"{file.name}: {node.name}"] = lines
    assert long == {}


def test_the_readme_is_short() -> None:
    assert len((REPOSITORY / "README.md").read_text().splitlines()) <= 120


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", document.read_text())
    missing = [link for link in links if not (document.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_every_file_that_is_named_exists(document: Path) -> None:
    """By its path from the project, its package, its tests or the document, or by its name."""
    named = re.findall(r"`([\w./-]+\.(?:py|sql|yml|csv|json|js|toml|md))`", document.read_text())
    starts = [document.parent, REPOSITORY]
    starts += [REPOSITORY / "python_ingest/orb_learning", REPOSITORY / "tests/python"]
    names = {Path(name).name for name in tracked_files()} | ELSEWHERE
    missing = {
        name
        for name in named
        if name not in names and not any((start / name).exists() for start in starts)
    }
    assert missing == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_every_command_of_orb_and_make_exists(document: Path) -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    targets = set(re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for words in words_of_shell_blocks(document.read_text()):
        program = Path(words[0]).name
        if program == "orb":
            assert words[1] in commands, words
        if program == "make":
            assert set(words[1:]) <= targets, words


@pytest.mark.slow
def test_the_readmes_commands_run_one_after_the_other(tmp_path: Path) -> None:
    """All but make's own, which set up an environment; in a folder like a clone's."""
    clone = tmp_path / "clone"
    for name in tracked_files():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_bytes((REPOSITORY / name).read_bytes())
    (clone / ".venv").symlink_to(Path(sys.prefix))
    build = re.search(r"^build: .*\n((?:\t.*\n)+)", (clone / "Makefile").read_text(), re.MULTILINE)
    assert build
    steps = [shlex.split(line.replace("$(BIN)", ".venv/bin")) for line in build[1].splitlines()]
    readme = (clone / "README.md").read_text()
    steps += [words for words in words_of_shell_blocks(readme) if words[0] != "make"]
    run([".venv/bin/python", "-m", "benchmarks.generate", *GENERATED], clone)
    said = "".join(run(step, clone) for step in steps)
    # What its first screen shows is what they say.
    shown = re.search(r"```text\n(.*?)```", readme, re.DOTALL)
    assert shown
    lines = [line for line in shown[1].splitlines() if not line.startswith("$")]
    assert len(lines) >= 7
    spaced = re.sub(r"\s+", " ", said)
    assert [line for line in lines if re.sub(r"\s+", " ", line).strip() not in spaced] == []
    assert "6,199" in said


GENERATED = shlex.split("executions.parquet --rows 100 --days 3 --seed 1")


def run(words: list[str], folder: Path) -> str:
    outcome = subprocess.run(
        words,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{folder}/.venv/bin:/usr/bin:/bin"},
    )
    assert outcome.returncode == 0, f"{words}: {outcome.stdout}{outcome.stderr}"
    return outcome.stdout
