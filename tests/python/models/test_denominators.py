"""Shares of the checks of the data, where another denominator would give a figure that misleads."""

from __future__ import annotations

import shutil
from pathlib import Path

from orb_learning import formats
from orb_learning.store import connect

VALID = """
    {number} as _load_seq, timestamp '2026-01-01' as timestamp, 'fix' as task_type, 'api' as repo,
    'small' as model_tier, 'local' as pool_type, 1.0::double as duration_seconds,
    null::json as metadata, null::ubigint as _task_text_id, null::varchar as error_type
"""


def checked_in(
    database: Path, check: str, *, executions: str, rejected: str, versions: int
) -> tuple[str, int, int]:
    """Return a check's share as shown, and its counts, of a database with only these rows."""
    with connect(database) as connection:
        connection.execute("drop view stg_version_times")
        for table, rows in {
            "fct_executions": executions,
            "rejected_executions": rejected,
            "stg_version_times": f"select unnest(range(1, {versions} + 1)) as _load_seq",
        }.items():
            connection.execute(f"create or replace table {table} as {rows}")
        [row] = connection.execute(
            "select failing_share, failing_count, checked_count from rpt_data_quality "
            "where check_name = ?",
            [check],
        ).fetchall()
    return formats.rate(row[0]), row[1], row[2]


def test_rejected_checks_of_three_imports_are_over_all_versions(
    empty_database: Path, tmp_path: Path
) -> None:
    """Each import of 19 rows supersedes 10 and rejects 9: of those still seen, they are 73.0 %."""
    found = checked_in(
        Path(shutil.copy(empty_database, tmp_path)),
        "success_missing",
        executions=f"select true as success, {VALID.format(number=57)} from range(10)",
        rejected="select 19 * (n // 9) + n % 9 + 1 as _load_seq, "
        "['success_missing'] as broken_rules from range(27) as rows (n)",
        versions=57,
    )
    assert found == ("47.4 %", 27, 57)
    assert formats.rate(27 / (27 + 10)) == "73.0 %"


def test_failures_without_a_type_are_a_share_of_the_failures(
    empty_database: Path, tmp_path: Path
) -> None:
    """Of 31 executions 25 failed, none with a type: of all they are 80.6 %."""
    found = checked_in(
        Path(shutil.copy(empty_database, tmp_path)),
        "failure_without_error_type",
        executions=f"select n >= 25 as success, {VALID.format(number='n + 1')} "
        "from range(31) as rows (n)",
        rejected="select 1 as _load_seq, ['success_missing'] as broken_rules where false",
        versions=31,
    )
    assert found == ("100 %", 25, 25)
    assert formats.rate(25 / 31) == "80.6 %"
