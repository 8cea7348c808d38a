"""What a dbt command failed of is said in one message, without dbt's own insides."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from building import REPOSITORY
from commands import orb

from orb_learning.dbt import run_dbt, show_dbt
from orb_learning.dbt.failures import in_one_message, in_words, read_events
from orb_learning.errors import DbtError
from orb_learning.filesystem import ReadWriteLock
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.connection import connect

FILES = {
    "dbt_project.yml": "name: orb_learning\nversion: '1.0.0'\nprofile: p\n",
    "profiles.yml": """
p:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: "{{ env_var('ORB_DATABASE') }}"
      plugins: [{module: orb_learning.dbt_plugin, config: {wait_seconds: 3}}]
""",
    "models/broken.sql": "select nosuch from range(3)",
    "models/below.sql": "select * from {{ ref('broken') }}",
    "models/whole.sql": "select 1 as a",
    "models/units.yml": """
unit_tests:
  - {name: whole_is_two, model: whole, given: [], expect: {rows: [{a: 2}]}}
""",
    "tests/none_is_found.sql": (
        "{{ config(severity=var('severity', 'error')) }} select unnest([1, 2, 3])"
    ),
    "macros/refuse.sql": """
{% macro inner_refusal() %}
{{ exceptions.raise_compiler_error("archive_path is 'x*': it may not contain *. Name another.") }}
{% endmacro %}
{% macro refuse() %}{{ inner_refusal() }}{% endmacro %}
{% macro answer() %}{{ print('{"a": 1}') }}{% endmacro %}
""",
}
INSIDES = re.compile(
    r"Runtime Error|Compilation Error|Database Error|compiled code|in macro|called by|\x1b|\n"
)
"""What no message of ``orb`` may hold."""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LearningSettings:
    for name, text in FILES.items():
        file = tmp_path / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORB_LEARNING__PROJECT_PATH", str(tmp_path / "project"))
    return load_settings(database_path=tmp_path / "learning.db")


def refusal(run: Callable[[], object]) -> str:
    """Return the message of what is refused, which has no insides of dbt."""
    with pytest.raises(DbtError) as caught:
        run()
    message = str(caught.value)
    assert INSIDES.search(message) is None, message
    return message


@pytest.mark.parametrize(
    ("options", "selects"), [(["--select", "below"], True), (["--select=below"], True), ([], False)]
)
def test_what_a_selection_stands_on_must_be_there(
    settings: LearningSettings, options: list[str], selects: bool
) -> None:
    project = settings.project_path
    assert project is not None
    (project / "models" / "broken.sql").write_text("select * from nosuch")
    said = refusal(lambda: show_dbt(settings, "build", *options, hear=lambda _: None))
    assert ("run `orb build` without a selection first" in said) == selects
    assert ("Mend it and run it again" in said) != selects


def test_a_failed_build_names_each_node_and_why(settings: LearningSettings) -> None:
    said = refusal(lambda: run_dbt(settings, "build"))
    assert said.startswith("the build failed: ")
    assert 'model broken: Binder Error: Referenced column "nosuch" not found' in said
    assert "test none_is_found: 3 rows break what it claims" in said
    assert "unit test whole.whole_is_two: its rows are not those expected" in said
    assert str(Path("logs/dbt.log").resolve()) in said
    assert Path("logs/dbt.log").exists()


def test_orb_build_shows_what_is_wrong_whole_and_ends_with_one_error(
    settings: LearningSettings,
) -> None:
    done = orb(settings.database_path, "build")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the build failed: ")
    assert "model broken: Binder Error: " in line
    assert INSIDES.search(line) is None
    assert "ERROR creating sql view model main.broken" in done.stdout
    assert 'Referenced column "nosuch" not found' in done.stdout
    assert "Got 3 results, configured to fail" in done.stdout
    assert " START " not in done.stdout
    assert "PASS" not in done.stdout.rpartition("Done. ")[0]
    end = done.stdout.splitlines()[-1]
    assert re.fullmatch(r"Done\. PASS=\d+ WARN=0 ERROR=3 .*, in .* s; .*", end)
    assert f"{Path('logs/dbt.log').resolve()} has all that dbt said" in end
    assert " START " in Path("logs/dbt.log").read_text()


def test_orb_build_ends_with_one_line_where_it_cannot_begin(settings: LearningSettings) -> None:
    with connect(settings.database_path) as connection:
        connection.execute("insert into raw.schema_versions values (99, now())")
    done = orb(settings.database_path, "build", "--select", "whole")
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert re.match(r"error: the build failed: .*has version 99 .*; update orb-learning", line)


def test_orb_build_is_quiet_where_nothing_is_wrong(
    settings: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orb_learning.cli.building.SECONDS_BETWEEN", 0.0)
    done = orb(settings.database_path, "build", "--select", "whole", "--resource-type", "model")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert "PASS=1 WARN=0 ERROR=0" in done.stdout
    assert "1 of 1: sql" in done.stderr


@pytest.mark.slow
def test_orb_build_shows_warnings_whole_and_all_where_it_is_asked_to(
    settings: LearningSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    warn = ("--select", "none_is_found", "--vars", "{severity: warn}")
    said = orb(settings.database_path, "build", *warn).stdout
    assert "Warning in test none_is_found" in said
    assert "Got 3 results, configured to warn if != 0" in said
    assert "`orb quality` says which rules" in said
    orb(settings.database_path, "build", "--select", "broken", "--verbose")
    shown = capfd.readouterr()
    assert "1 of 1 START" in shown.out
    assert "1 of 1 ERROR" in shown.out
    assert "RuntimeWarning" not in shown.err


@pytest.mark.slow
def test_an_operation_says_what_it_refused_and_what_it_printed(settings: LearningSettings) -> None:
    said = refusal(lambda: run_dbt(settings, "run-operation", "refuse"))
    assert said.startswith(
        "refuse failed: archive_path is 'x*': it may not contain *. Name another. Mend it"
    )
    assert run_dbt(settings, "run-operation", "answer") == '{"a": 1}'


@pytest.mark.slow
def test_a_command_of_dbt_says_for_whom_it_waits(
    settings: LearningSettings, caplog: pytest.LogCaptureFixture
) -> None:
    lock = ReadWriteLock(settings.database_path).acquire(shared=False, deadline=0)
    assert lock is not None
    said = refusal(lambda: run_dbt(settings, "run-operation", "answer"))
    lock.release()
    assert f"{settings.database_path} was in use by others" in said
    (notice,) = caplog.messages
    assert notice.startswith(f"waiting for {settings.database_path}, which process ")


def test_a_project_that_cannot_be_read_is_named(settings: LearningSettings) -> None:
    (Path("project") / "models/lost.sql").write_text("from {{ ref('missing') }}")
    said = refusal(lambda: run_dbt(settings, "run"))
    assert "(models/lost.sql) depends on a node named 'missing' which was not found" in said
    assert "No such option" in refusal(lambda: run_dbt(settings, "build", "--nosuch"))


def test_a_message_without_insides_stays_as_it_is() -> None:
    assert in_words("disk is full\n  Candidate bindings: x") == "disk is full Candidate bindings: x"
    assert in_words("Runtime Error") == "Runtime Error"
    assert (
        in_words("Runtime Error\n  Runtime Error\n    x is taken\n    > in macro m") == "x is taken"
    )
    assert read_events("no JSON\n[1]\n{}") == ("no JSON\n[1]\n{}", [])
    many = in_one_message("the build", [f"model m{n}: x" for n in range(5)], Path("dbt.log"))
    assert many.count("model m") == 3
    assert "; and 2 more." in many


def test_what_dbt_says_to_run_is_what_runs_where_it_is_read(settings: LearningSettings) -> None:
    (Path("project") / "macros/lacking.sql").write_text(
        "{% macro lacking() %}{% do exceptions.warn('cut: run `dbt build`') %}"
        "{{ exceptions.raise_compiler_error('run `dbt build` first') }}{% endmacro %}"
    )
    with (Path("project") / "dbt_project.yml").open("a") as project:
        project.write("on-run-start: '{{ lacking() }}'\n")
    done = orb(settings.database_path, "build", "--select", "whole", "--resource-type", "model")
    assert "cut: run `orb build`" in done.stdout
    assert "run `orb build` first" in refusal(lambda: run_dbt(settings, "run-operation", "lacking"))


def test_no_message_of_the_package_names_what_needs_a_checkout() -> None:
    for file in (REPOSITORY / "python_ingest").rglob("*.py"):
        if file.name != "failures.py":
            assert "run `dbt build`" not in file.read_text().lower(), file
            assert "`dbt build` does" not in file.read_text(), file
