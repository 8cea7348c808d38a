"""dbt for the tests: in this process, parsed once for each project, on whatever database file."""

from __future__ import annotations

import gc
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode
from dbt_common.tests import enable_test_caching
from parsing import PROJECT_PARTS, REPOSITORY, STEM, environment, parse_of

PARSE_VARIABLE = "DBT_PARTIAL_PARSE_FILE_PATH"
TAKEN_BY_SQL = {"as_of", "load_block_size"}
"""Variables that change no parse, since no config takes them."""
SUPPORT = Path(__file__).parent
"""What several tests use, and the processes that they start."""
REPORTS = "path:models/reports"
"""Two thirds of the models: views, which a test of tables need not make again."""

enable_test_caching()  # dbt's own: it parses a template once, and looks for its plugins once


class BuildError(Exception):
    """A dbt command failed; its message is what dbt said."""


class DbtProject:
    """A dbt project in a folder. ``scratch`` takes dbt's target and logs."""

    def __init__(self, folder: Path, scratch: Path, unedited: Path = REPOSITORY):
        self.folder = folder
        self.scratch = scratch
        self._unedited = unedited
        # Pickled: dbt writes into a manifest what a run finds out, and this copies one fastest.
        self._manifests: dict[bool, bytes] = {}
        self._untested: dict[bool, bytes] = {}

    def parse(self) -> Manifest:
        """Read the project's files again, after an edit."""
        self._manifests.clear()
        self._untested.clear()
        return self._parsed(embeddings_enabled=False)

    def _parsed(self, *, embeddings_enabled: bool, with_tests: bool = True) -> Manifest:
        # A model's config takes its variables when it is parsed, its SQL when it is compiled.
        if embeddings_enabled not in self._manifests:
            variables = {"embeddings_enabled": embeddings_enabled}
            database = self.scratch / f"{STEM}.db"
            # What was edited since is all that dbt parses.
            kept = parse_of(self._unedited, variables).for_dbt(self.scratch, database, variables)
            options = ["--partial-parse-file-path", str(kept)]
            parsed = self._invoke(dbtRunner(), "parse", database, variables, options)
            assert isinstance(parsed.result, Manifest)
            self._manifests[embeddings_enabled] = pickle.dumps(parsed.result)
            self._untested[embeddings_enabled] = pickle.dumps(without_tests(parsed.result))
            # The collector would walk a parse's objects again and again: a third of a small run.
            gc.unfreeze()  # so that the parse before it can go
            gc.collect()
            gc.freeze()
        kept = self._manifests if with_tests else self._untested
        manifest = pickle.loads(kept[embeddings_enabled])  # noqa: S301
        assert isinstance(manifest, Manifest)
        return manifest

    def run(
        self,
        database: Path,
        *,
        command: str = "run",
        select: Iterable[str] = (),
        exclude: Iterable[str] = (),
        full_refresh: bool = False,
        with_comments: bool = False,
        **variables: Any,
    ) -> None:
        """Run, seed or build into the database; the file is closed afterwards.

        A run or a seed comments on no column, unless it is asked to.

        Raises:
            BuildError: dbt or one of its nodes failed.
        """
        embeddings_enabled = variables.get("embeddings_enabled", False)
        manifest = self._parsed(
            embeddings_enabled=embeddings_enabled,
            with_tests=with_comments or command not in ("run", "seed"),
        )
        arguments = [word for name in select for word in ("--select", name)]
        arguments += [word for name in exclude for word in ("--exclude", name)]
        if full_refresh:
            arguments.append("--full-refresh")
        self._invoke(dbtRunner(manifest=manifest), command, database, variables, arguments)

    def operate(
        self, database: Path, macro: str, arguments: dict[str, Any], **variables: Any
    ) -> None:
        """Run a macro on the database.

        Raises:
            BuildError: it failed.
        """
        manifest = self._parsed(embeddings_enabled=False, with_tests=False)
        options = [macro, "--args", json.dumps(arguments)]
        said: list[str] = []  # what an operation fails of, dbt says nowhere else
        runner = dbtRunner(manifest, [lambda event: said.append(event.info.msg)])
        try:
            self._invoke(runner, "run-operation", database, variables, options)
        except BuildError as error:
            raise BuildError("\n".join([str(error), *said])) from error

    def start(
        self, database: Path, *arguments: str, time_zone: str = "", **variables: Any
    ) -> subprocess.Popen[str]:
        """Start dbt as a process of its own, its output in a pipe."""
        known: dict[str, str] = {}
        if variables.keys() <= TAKEN_BY_SQL:
            given = {"embeddings_enabled": False}
            kept = parse_of(self._unedited, given)
            known[PARSE_VARIABLE] = str(kept.for_dbt(self.scratch, database, given | variables))
        variables_of_dbt = {
            **os.environ,
            "ORB_DATABASE": str(database),
            **known,
            "PYTHONUNBUFFERED": "1",
            **({"TZ": time_zone} if time_zone else {}),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "dbt.cli.main", *arguments, *self._options(variables)],
            env=variables_of_dbt,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _invoke(
        self,
        runner: dbtRunner,
        command: str,
        database: Path,
        variables: dict[str, Any],
        arguments: list[str],
    ) -> dbtRunnerResult:
        assert database.stem == STEM
        with environment("ORB_DATABASE", str(database)):
            try:
                outcome = runner.invoke(
                    [
                        *("--log-level", "none", "--log-level-file", "none"),
                        *(command, "--no-write-json", *arguments, *self._options(variables)),
                    ]
                )
            finally:
                DuckDBConnectionManager.close_all_connections()
        if not outcome.success:
            raise BuildError(_failures(outcome))
        return outcome

    def _options(self, variables: dict[str, Any]) -> list[str]:
        return [
            *("--project-dir", str(self.folder), "--profiles-dir", str(self.folder)),
            *("--target-path", str(self.scratch / "target")),
            *("--log-path", str(self.scratch / "logs")),
            # Most tests have no use for vectors, and importing torch takes seconds.
            *("--vars", json.dumps({"embeddings_enabled": False} | variables)),
        ]


def copy_of_project(folder: Path) -> DbtProject:
    """Copy the project's files into a new folder, for tests that edit them."""
    for part in PROJECT_PARTS:
        source = REPOSITORY / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / part)
    return DbtProject(folder, folder)


def untested_project(folder: Path) -> Path:
    """Copy the project without its data and unit tests, which take half of a build."""
    copy_of_project(folder)
    with (folder / "dbt_project.yml").open("a") as file:
        file.write("data_tests: {orb_learning: {+enabled: false}}\n")
        file.write("unit_tests: {orb_learning: {+enabled: false}}\n")
    return folder


def known_parse(
    project: Path, database: Path, folder: Path, variables: dict[str, Any] | None = None
) -> dict[str, str]:
    """Return a variable of the environment by which a dbt process need not parse the project.

    The process works on this database, with these variables; another one parses as ever.
    """
    given = variables or {}
    assert given.keys() <= TAKEN_BY_SQL
    return {PARSE_VARIABLE: str(parse_of(project, {}).for_dbt(folder, database.resolve(), given))}


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that stands in the file exactly once."""
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    file.write_text(text.replace(old, new))


def without_tests(manifest: Manifest) -> Manifest:
    """Leave out what a run does not need: copying it for each takes a fifth of a small one.

    DuckDB binds a view for each comment on a column of it, which takes a fifth of a first run.
    """
    nodes = {name: node for name, node in manifest.nodes.items() if node.resource_type != "test"}
    for node in nodes.values():
        if isinstance(node, ModelNode):
            node.config.persist_docs = {"relation": True, "columns": False}
    untested = Manifest(
        nodes=nodes,
        sources=manifest.sources,
        macros=manifest.macros,
        docs=manifest.docs,
        metadata=manifest.metadata,
        state_check=manifest.state_check,
    )
    untested.build_flat_graph()
    return untested


def _failures(outcome: dbtRunnerResult) -> str:
    messages = [str(outcome.exception)] if outcome.exception else []
    for result in getattr(outcome.result, "results", []):
        if result.status not in ("success", "pass", "warn", "skipped", "no-op"):
            name = result.node.name if hasattr(result, "node") else result.unique_id
            messages.append(f"{name}: {result.message}")
    return "\n".join(messages)
