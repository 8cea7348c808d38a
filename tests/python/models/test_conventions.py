"""The project's habits, held over dbt's manifest: layers, names, descriptions, tests."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from building import REPOSITORY, DbtProject
from dbt.contracts.graph.manifest import Manifest
from dbt_common.clients.jinja import get_environment
from jinja2.nodes import Macro

from orb_learning.record.model import COLUMNS, STORED_COLUMNS
from orb_learning.store.schema import ddl
from orb_learning.time_ranges import TIME_RANGES

PREFIXES = {
    "staging": r"stg_\w+",
    "core": r"(fct|int)_\w+|rejected_executions",
    "marts": r"int_\w+|\w+_mv",
    "embeddings": r"int_\w+|text_embeddings|solution_clusters",
    "resolutions": r"int_\w+|error_\w+",
    "routing": r"int_routing_\w+|routing_propensities",
    "public": r"executions|executions_flat|metadata",
    "search": r"similar_\w+|solutions_of_similar_errors|known_vector",
    "reports": r"rpt_\w+|alerts_at|int_\w+",
}
"""What a model in each folder is called."""

MAY_READ = {
    "staging": {"source", "seed"},
    "core": {"staging", "core"},
    "marts": {"core", "marts"},
    "embeddings": {"core", "marts", "embeddings"},
    "resolutions": {"core", "embeddings", "resolutions"},
    "routing": {"seed", "core", "routing"},
    "public": {"staging", "core", "embeddings", "public"},
    "search": {"core", "embeddings"},
    "reports": {
        "seed",
        "staging",
        "core",
        "embeddings",
        "resolutions",
        "routing",
        "marts",
        "public",
        "reports",
    },
}
"""What each layer may read: its neighbours, and public and reports operational data in staging."""


@pytest.fixture(scope="module")
def manifest(project: DbtProject) -> Manifest:
    return project.parse()


def models(manifest: Manifest) -> Iterator[Any]:
    for node in manifest.nodes.values():
        if node.resource_type == "model":
            yield node


def layer(node: Any) -> str:
    return str(node.fqn[1])


def data_tests_of(manifest: Manifest, model: Any) -> list[Any]:
    return [
        node
        for node in manifest.nodes.values()
        if node.resource_type == "test" and getattr(node, "attached_node", None) == model.unique_id
    ]


def test_a_model_has_the_prefix_of_its_folder(manifest: Manifest) -> None:
    wrong = [
        f"{layer(model)}/{model.name}"
        for model in models(manifest)
        if not re.fullmatch(PREFIXES[layer(model)], model.name)
    ]
    assert wrong == []


def test_a_layer_reads_only_its_neighbours(manifest: Manifest) -> None:
    reaching = []
    for model in models(manifest):
        for read in model.depends_on.nodes:
            kind = read.split(".")[0]
            of = layer(manifest.nodes[read]) if kind == "model" else kind
            if of not in MAY_READ[layer(model)]:
                reaching.append(f"{model.name} reads {read}")
    assert reaching == []


def test_a_models_first_line_and_its_description_say_what_one_row_is(manifest: Manifest) -> None:
    for model in models(manifest):
        first = model.raw_code.splitlines()[0].removeprefix('"""').removesuffix('"""')
        first = first.removeprefix("-- ")
        assert first.startswith("One row is "), model.name
        assert first.endswith("."), model.name
        opening = re.split(r"\W+", first)
        described = re.split(r"\W+", model.description)
        assert described[:4] == opening[:4], model.name


def test_a_model_has_one_yaml_file_of_its_own(manifest: Manifest) -> None:
    for model in models(manifest):
        yaml_file = REPOSITORY / Path(model.original_file_path).with_suffix(".yml")
        described = yaml.safe_load(yaml_file.read_text())["models"]
        assert [entry["name"] for entry in described] == [model.name]


def test_a_model_tests_its_key_and_a_claim_of_its_domain(manifest: Manifest) -> None:
    for model in models(manifest):
        if model.config.materialized == "table_macro":
            continue  # without its arguments it has no rows; test_similarity asks it
        tests = {test.test_metadata.name: test for test in data_tests_of(manifest, model)}
        arguments = tests["holds"].test_metadata.kwargs
        assert arguments["one_row_per"], f"{model.name} has no test of its key"
        assert arguments["claims"], f"{model.name} claims nothing"


def test_a_tests_name_is_its_model_and_its_claim(manifest: Manifest) -> None:
    for node in manifest.nodes.values():
        if node.resource_type == "test" and getattr(node, "attached_node", None):
            subject = node.attached_node.split(".")[-1]
            assert re.fullmatch(rf"{subject}_[a-z0-9_]+", node.name), node.name
    for unit_test in manifest.unit_tests.values():
        assert unit_test.name.startswith(f"{unit_test.model}_"), unit_test.name


def known_counts(column: str) -> set[str]:
    """Return the columns of which one says over how many a mean, cost or percentile is."""
    named = re.sub(r"^(avg|median|p\d\d|max)_|_(mb|seconds|pct|share)$", "", column)
    counts = {
        "estimated_cost": {"estimate_known_count"},
        "cost_change_pct": {"trailing_cost_known_count"},
        "cost_share": {"cost_known_count"},
        "user_rating": {"rating_known_count"},
        "cores": {"cpu_and_duration_known_count"},
        "cost_per_success": {"cost_known_success_count"},
        "seconds_per_success": {"duration_known_success_count"},
        "quality_per_dollar": {"quality_and_cost_known_count"},
    }
    if column.startswith(("smaller_", "larger_")):
        named = column.replace("_avg", "")
    default = {f"{named.removeprefix('total_')}_known_count", f"{named}_known_count"}
    return counts.get(column) or counts.get(named) or default


def test_a_mean_cost_or_percentile_has_its_known_count(manifest: Manifest) -> None:
    """But for estimates of policies, which have intervals, and a sum that is a step to another."""
    figure = r"(avg|median|p\d\d)_.*|.*_cost|cost_.*|.*_per_(success|dollar)|.*savings"
    checked = 0
    for model in models(manifest):
        if not re.match(r"rpt_|solution_clusters|\w+_mv", model.name) or re.search(
            r"rout|policy|escalations", model.name
        ):
            continue
        for column in model.columns:
            # A change has an interval, and an execution's own cost is no mean.
            other = r"_(count|gain|margin|change|change_lower|change_upper|say)$|^actual_cost$"
            if re.fullmatch(figure, column) and not re.search(other, column):
                assert known_counts(column) & set(model.columns), (model.name, column)
                checked += 1
    assert checked > 150


def test_every_rule_is_tested_and_checked_by_its_column(manifest: Manifest) -> None:
    rules = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())["vars"]["execution_rules"]
    executions = manifest.nodes["model.orb_learning.fct_executions"]
    tested = {
        test.test_metadata.kwargs["on_break"]
        for test in data_tests_of(manifest, executions)
        if test.test_metadata.name == "follows_rules"
    }
    assert tested == {"reject", "warn"}
    for name, rule in rules.items():
        checks = {c.expression for c in executions.columns[rule["column"]].constraints}
        assert (rule["holds"] in checks) == (rule["on_break"] == "reject"), name


def test_every_column_that_is_built_is_described_and_no_other(
    manifest: Manifest, empty_database: Path
) -> None:
    with duckdb.connect(empty_database, read_only=True) as connection:
        built: dict[str, list[str]] = {}
        comments: dict[tuple[str, str], str] = {}
        for table, column, comment in connection.execute(
            "select table_name, column_name, comment from duckdb_columns() "
            "where schema_name = 'main' and not internal order by table_name, column_index"
        ).fetchall():
            built.setdefault(table, []).append(column)
            comments[table, column] = comment
        for model in models(manifest):
            if model.config.materialized == "table_macro":
                described = connection.execute(f"describe from {model.name}(null)").fetchall()
                built[model.name] = [column for column, *_ in described]
    for model in models(manifest):
        assert list(model.columns) == built[model.name], model.name
        for column in model.columns.values():
            assert column.description, f"{model.name}.{column.name}"
            if (model.name, column.name) in comments and model.config.persist_docs.get("columns"):
                assert comments[model.name, column.name] == column.description.strip()


def test_a_column_is_described_in_a_doc_block(manifest: Manifest) -> None:
    for file in (REPOSITORY / "models").rglob("*.yml"):
        text = file.read_text()
        plain = re.findall(r"^ {8,12}description: (?!\"\{\{ doc\()(.*)$", text, re.MULTILINE)
        if file.name != "_sources.yml":
            assert plain == [], file
    assert manifest.docs


def test_the_record_is_the_author_of_raws_columns(manifest: Manifest) -> None:
    with duckdb.connect() as connection:
        connection.execute(ddl())
        raw = dict(
            connection.execute(
                "select column_name, data_type from duckdb_columns() "
                "where schema_name = 'raw' and table_name = 'executions' order by column_index"
            ).fetchall()
        )
    assert list(raw.items())[:27] == list(STORED_COLUMNS.items())
    assert list(raw)[27:] == ["_load_seq", "_loaded_at"]
    source = manifest.sources["source.orb_learning.raw.executions"]
    assert list(source.columns) == list(raw)


def test_executions_has_exactly_the_27_columns_of_the_record(empty_database: Path) -> None:
    with duckdb.connect(empty_database, read_only=True) as connection:
        columns = connection.execute(
            "select column_name, data_type from duckdb_columns() "
            "where table_name = 'executions' and schema_name = 'main' order by column_index"
        ).fetchall()
    assert columns == list(COLUMNS.items())


def test_fct_executions_contract_has_the_records_types(manifest: Manifest) -> None:
    model = manifest.nodes["model.orb_learning.fct_executions"]
    assert model.config.contract.enforced
    types = {name: column.data_type.upper() for name, column in model.columns.items()}
    assert list(types.items())[:27] == list(STORED_COLUMNS.items())


def macros(manifest: Manifest) -> Iterator[Any]:
    for macro in manifest.macros.values():
        if macro.package_name == "orb_learning" and macro.original_file_path.startswith("macros/"):
            yield macro


def described_macros() -> dict[str, Any]:
    files = (REPOSITORY / "macros").rglob("_macros.yml")
    return {
        f"{file.parent.name}/{entry['name']}": entry
        for file in files
        for entry in yaml.safe_load(file.read_text())["macros"]
    }


def test_each_macro_is_described_in_its_folder_and_no_other(manifest: Manifest) -> None:
    built = [f"{Path(m.original_file_path).parent.name}/{m.name}" for m in macros(manifest)]
    described = described_macros()
    assert sorted(described) == sorted(built)
    assert [name for name, entry in described.items() if not entry["description"]] == []


def test_each_argument_of_a_macro_is_typed_and_described(manifest: Manifest) -> None:
    described = {name.split("/")[1]: entry for name, entry in described_macros().items()}
    for macro in macros(manifest):
        block = next(get_environment().parse(macro.macro_sql).find_all(Macro))
        # A materialization's are its language and its adapter.
        taken = [] if "materialization" in block.name else [name.name for name in block.args]
        arguments = described[macro.name].get("arguments", [])
        assert [argument["name"] for argument in arguments] == taken, macro.name
        assert all(argument["type"] and argument["description"] for argument in arguments)


def test_a_file_of_a_macro_or_model_has_at_most_80_lines() -> None:
    files = [*(REPOSITORY / "macros").rglob("*.sql"), *(REPOSITORY / "models").rglob("*.sql")]
    lengths = {file.name: len(file.read_text().splitlines()) for file in files}
    del lengths["fct_executions.sql"]  # two columns' lists and the way of a version into its row
    assert {name: lines for name, lines in lengths.items() if lines > 80} == {}


def test_a_variable_has_its_reason_above_it() -> None:
    lines = (REPOSITORY / "dbt_project.yml").read_text().split("\nvars:\n")[1].splitlines()
    for before, line in itertools.pairwise(lines):
        if re.match(r"  \w", line):
            assert before.startswith("  # "), line


def test_the_time_ranges_are_the_same_in_every_language() -> None:
    macro = (REPOSITORY / "macros/reports/time_ranges.sql").read_text()
    (in_sql,) = re.findall(r"macro time_ranges\(\) %}\n *{{ return\((.*)\) }}", macro)
    assert tuple(ast.literal_eval(in_sql)) == TIME_RANGES
    page = (REPOSITORY / "python_ingest/orb_learning/page/script/data.js").read_text()
    (in_page,) = re.findall(r"const RANGES = {(.*?)};", page, re.DOTALL)
    assert tuple(re.findall(r'"(\w+)":', in_page)) == TIME_RANGES


@pytest.mark.slow
def test_dbt_finds_no_deprecation(tmp_path: Path) -> None:
    """dbt looks for deprecated YAML only for adapters in a set that duckdb is not yet in."""
    script = (
        "import sys; from dbt.jsonschemas import jsonschemas as checks;"
        "checks._JSONSCHEMA_SUPPORTED_ADAPTERS.add('duckdb');"
        "from dbt.cli.main import dbtRunner;"
        "sys.exit(not dbtRunner().invoke(sys.argv[1:]).success)"
    )
    arguments = ["--warn-error", "parse", "--no-partial-parse", "--show-all-deprecations"]
    outcome = subprocess.run(
        [sys.executable, "-c", script, *arguments, "--target-path", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout


def test_docs_open_with_what_to_query_and_hide_internals(manifest: Manifest) -> None:
    overview = manifest.docs["doc.orb_learning.__overview__"].block_contents
    models = {node.name: node for node in manifest.nodes.values() if node.resource_type == "model"}
    shown = {name for name, node in models.items() if node.docs.show}
    internal = {name for name in models if re.match(r"(stg|int)_|rpt_page_", name)}
    assert shown == models.keys() - internal
    named = set(re.findall(r"`([a-z_]+)[`(]", overview)) - {
        "time_range",
        "has_enough_samples",
        "int_",
    }
    assert named <= shown
    assert {"executions", "rpt_what_to_change", "rpt_success_by_tier"} <= named


def test_what_agrees_with_views_is_of_the_same_moment() -> None:
    """A literal of the build's start would be another one than that of the query."""
    for file in (REPOSITORY / "tests/agreement").glob("*.sql"):
        assert "utc_now()" not in file.read_text(), file
