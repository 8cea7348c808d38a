"""An id of any kind is one UUID, in Python and in SQL."""

from __future__ import annotations

import uuid
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orb_learning.record.identity import task_uuid, task_uuid_sql, with_task_uuid

KNOWN = uuid.UUID("01234567-89ab-4def-8123-456789abcdef")


@pytest.mark.parametrize(
    "spelling",
    [KNOWN, str(KNOWN), str(KNOWN).upper(), KNOWN.hex, KNOWN.urn, f"{{{KNOWN}}}", f" {KNOWN} "],
)
def test_a_uuid_in_any_usual_spelling_stays(spelling: Any) -> None:
    assert task_uuid(spelling, "any") == KNOWN
    assert with_task_uuid({"task_id": spelling}) == {"task_id": str(KNOWN)}


def test_another_id_is_the_uuid5_of_scope_and_id_and_is_kept() -> None:
    url_namespace = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
    wanted = uuid.uuid5(url_namespace, "orb-learning:mine:task-7")
    given = {"task_id": "task-7", "metadata": {"a": 1}}
    assert with_task_uuid(given, "mine") == {
        "task_id": str(wanted),
        "metadata": {"a": 1, "external_id": "task-7"},
    }
    assert task_uuid("task-7", "other") != wanted


def test_an_external_id_of_the_callers_own_is_kept() -> None:
    own = {"external_id": "ticket-9"}
    kept = with_task_uuid({"task_id": "task-7", "metadata": own})["metadata"]
    assert kept == {"external_id": "task-7", "given_external_id": "ticket-9"}
    assert with_task_uuid({"task_id": KNOWN, "metadata": own})["metadata"] == own
    made = {"task_id": str(task_uuid("task-7")), "metadata": own}
    assert with_task_uuid(made)["metadata"] == own | {"external_id_is_own": True}
    same = {"task_id": "ticket-9", "metadata": own}
    assert with_task_uuid(same)["metadata"] == own


def test_a_number_and_its_text_are_one_id() -> None:
    assert task_uuid(7) == task_uuid("7") == task_uuid(7.0)


@pytest.mark.parametrize("no_id", ["", "  ", True, 1.5, float("nan"), b"7", ["7"], object()])
def test_what_is_no_id_is_refused_by_name(no_id: Any) -> None:
    with pytest.raises(ValueError, match="task_id"):
        task_uuid(no_id)


spellings = st.sampled_from([KNOWN.hex, str(KNOWN).upper(), KNOWN.urn, f"{{{KNOWN}}}"])
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@settings(deadline=None, max_examples=300)
@given(spellings | texts.filter(lambda text: text.strip(" ") != ""), st.text("ab-:", max_size=4))
def test_sql_makes_the_uuid_that_python_makes(text: str, scope: str) -> None:
    query = f"select {task_uuid_sql('$text', '$scope')}"
    rows = duckdb.execute(query, {"text": text, "scope": scope}).fetchall()
    assert rows == [(task_uuid(text, scope),)]
