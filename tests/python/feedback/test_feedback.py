"""Feedback: the rules, exactly once, who may see it, and how it goes."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shutil
import subprocess
import sys
import uuid
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import REPOSITORY, STEM, DbtProject
from histories import History, days_ago, task_id
from shell_blocks import words_of_shell_blocks
from typer.testing import CliRunner

from orb_learning import LearningDatabase
from orb_learning.archive.files import check_archive
from orb_learning.archive.restore_days import release_holds, unarchive
from orb_learning.backup.create import make_backup
from orb_learning.capture import TelemetryCapture
from orb_learning.cli.app import app
from orb_learning.errors import FeedbackError
from orb_learning.feedback.submit import (
    ISSUE_TYPES,
    SATISFACTIONS,
    VISIBILITIES,
    order_deletion,
    submit_feedback,
)
from orb_learning.ingest.dead_letters import DeadLetterError, read_dead_letters, replay_dead_letter
from orb_learning.ingest.relay import load_once
from orb_learning.mcp.sql_guard import check_sql, readable_relations
from orb_learning.operations.erasure import erase
from orb_learning.operations.own_feedback import delete_own_feedback, read_own_feedback
from orb_learning.operations.restore import restore_backup
from orb_learning.outbox.reader import files_of, open_reader
from orb_learning.outbox.writer import Outbox
from orb_learning.record import task_uuid
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.connection import connect

NOW = datetime(2026, 3, 1, 12)  # noqa: DTZ001
TASK = uuid.UUID(int=7)
MARKER = "OnlyItsAuthor"


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def submit(outbox: Outbox, **given: Any) -> uuid.UUID:
    return submit_feedback(
        outbox, **{"task_id": TASK, "satisfaction": "good", "user_id": "ann", "now": NOW} | given
    )


def load(database: Path, now: datetime = NOW) -> Counter[str]:
    return load_once(database, database.parent / "outbox", now=now).counts


def query(database: Path, sql: str, *parameters: Any) -> list[Any]:
    with connect(database, read_only=True) as connection:
        return connection.execute(sql, parameters).fetchall()


def ids(database: Path, relation: str = "raw.feedback") -> list[uuid.UUID]:
    return [row[0] for row in query(database, f"select feedback_id from {relation} order by all")]


def payload_of(**given: Any) -> str:
    known = {
        "feedback_id": str(uuid.uuid4()),
        "task_id": str(TASK),
        "submitted_at": NOW.isoformat(),
        "satisfaction": "good",
        "issue_type": None,
        "comment": None,
        "visibility": "team",
        "user_id": "ann",
    }
    return json.dumps(known | given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"task_id": " "}, "task_id is ' ': it must be an id"),
        ({"task_id": None}, "task_id is None: it must be an id"),
        ({"satisfaction": "Good"}, "satisfaction is 'Good': it must be one of excellent, good"),
        ({"satisfaction": None}, "satisfaction is None"),
        ({"satisfaction": ["good"]}, "satisfaction is "),
        ({"issue_type": "ugly"}, "issue_type is 'ugly': it must be one of wrong_model"),
        ({"satisfaction": "fair"}, "issue_type is missing: fair needs one of wrong_model"),
        ({"satisfaction": "poor"}, "issue_type is missing: poor needs one"),
        ({"issue_type": "other"}, "comment is missing: issue_type other needs one"),
        ({"issue_type": "other", "comment": " \t\n"}, "comment is missing"),
        ({"comment": "x" * 2001}, "comment has 2,001 characters; at most 2,000"),
        ({"comment": 5}, "comment is 5: it must be a text"),
        ({"comment": "\ud800"}, "comment cannot be stored"),
        ({"user_id": "\ud800"}, "user_id cannot be stored"),
        ({"visibility": "everybody"}, "visibility is 'everybody': it must be one of private"),
        ({"satisfaction": "x" * 10**6}, "satisfaction is 'xxx"),
    ],
)
def test_what_breaks_a_rule_is_refused_and_says_why(
    outbox: Outbox, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(FeedbackError) as error:
        submit(outbox, **given)
    assert message in str(error.value)
    assert len(str(error.value)) < 300
    assert files_of(outbox.folder) == []


@pytest.mark.parametrize("satisfaction", SATISFACTIONS)
@pytest.mark.parametrize("visibility", VISIBILITIES)
def test_what_keeps_the_rules_is_taken(
    outbox: Outbox, database: Path, satisfaction: str, visibility: str
) -> None:
    for number, issue in enumerate([*ISSUE_TYPES, None]):
        if issue or satisfaction in ("excellent", "good"):
            submit(
                outbox,
                task_id=str(uuid.UUID(int=number)),
                satisfaction=satisfaction,
                issue_type=issue,
                comment="ü" * 2000,
                visibility=visibility,
            )
    load(database)
    named = ("ü" * 2000, "ann") if visibility != "public" else (None, None)
    columns = "satisfaction, comment, user_id, visibility, submitted_at"
    found = set(query(database, f"select {columns} from raw.feedback"))
    assert found == {(satisfaction, *named, visibility, NOW)}


def test_a_full_or_closed_outbox_is_said(outbox: Outbox) -> None:
    outbox.close()
    with pytest.raises(FeedbackError, match=r"did not take it \(closed\)"):
        submit(outbox)


def test_sql_and_python_refuse_the_same(
    outbox: Outbox, empty_database: Path, database: Path, tmp_path: Path
) -> None:
    shutil.copy(empty_database, database)
    comments = [None, "", " \t\n", "\u00a0", "ok", "x" * 2000, "x" * 2001, "🦆" * 2001]
    every = itertools.product(
        [*SATISFACTIONS, "", None],
        [*ISSUE_TYPES, "ugly", None],
        comments,
        [*VISIBILITIES, None],
    )
    refused = {}
    trial = Outbox(tmp_path / "trial")
    payloads = []
    for satisfaction, issue, comment, visibility in every:
        said = {"satisfaction": satisfaction, "issue_type": issue, "visibility": visibility}
        feedback_id = str(uuid.uuid4())
        try:
            submit_feedback(trial, task_id=TASK, comment=comment, **said)
            refused[feedback_id] = False
        except FeedbackError:
            refused[feedback_id] = True
        if visibility == "public":
            if refused[feedback_id]:
                # Its comment is refused before it is dropped; what is kept has none.
                continue
            comment = None
        user = None if visibility == "public" else "ann"
        payloads.append(payload_of(feedback_id=feedback_id, comment=comment, user_id=user, **said))
    assert outbox.put_many("feedback", payloads) == len(payloads)
    assert load(database)["feedback"] == len(payloads)
    # Public feedback is shown under another id.
    found = dict(
        query(
            database,
            "select raw.feedback_id::varchar, not is_valid from raw.feedback as raw "
            "inner join stg_feedback using (_load_seq)",
        )
    )
    assert found == {key: refused[key] for key in found}
    assert len(found) == len(payloads)
    assert len(set(found.values())) == 2


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"submitted_at": None}, "submitted_at_missing"),
        ({"submitted_at": "2026-03-01T12:06:00"}, "submitted_at_in_the_future"),
        ({"satisfaction": "meh"}, "satisfaction_unknown"),
        ({"satisfaction": None}, "satisfaction_unknown"),
        ({"issue_type": "ugly"}, "issue_type_unknown"),
        ({"satisfaction": "poor"}, "issue_type_missing"),
        ({"issue_type": "other"}, "comment_missing"),
        ({"comment": "x" * 10**6}, "comment_too_long"),
        ({"visibility": "all"}, "visibility_unknown"),
        ({"visibility": None}, "visibility_unknown"),
        ({"visibility": "public"}, "public_not_anonymous"),
    ],
)
def test_what_breaks_a_rule_in_raw_is_seen_and_counts_nowhere(
    outbox: Outbox, empty_database: Path, database: Path, given: dict[str, Any], rule: str
) -> None:
    shutil.copy(empty_database, database)
    outbox.put("feedback", payload_of(**given))
    outbox.put("feedback", payload_of())
    assert load(database)["feedback"] == 2
    rows = query(database, "select is_valid, broken_rules from stg_feedback order by _load_seq")
    assert rows == [(False, [rule]), (True, [])]
    assert query(database, "select count(*) from fct_feedback") == [(1,)]
    assert query(database, "select user_rating from int_feedback_ratings") == [(4,)]


def test_it_is_there_once_however_often_it_comes(
    outbox: Outbox, empty_database: Path, database: Path
) -> None:
    shutil.copy(empty_database, database)
    payload = payload_of()
    for _ in range(2):
        outbox.put("feedback", payload)
    load(database)
    outbox.put("feedback", payload)
    Outbox(outbox.folder).put("feedback", payload)
    load(database)
    assert len(ids(database)) == len(ids(database, "fct_feedback")) == 1
    assert query(database, "select count(*) from raw.dead_letters") == [(0,)]


KILLED = """
import os, signal, sys
from pathlib import Path
from orb_learning.ingest import batches, relay

insert = batches.insert_feedback
def and_die(*arguments):
    insert(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "before the commit":
    batches.insert_feedback = and_die
else:
    relay.prune_segments = lambda *a, **b: os.kill(os.getpid(), signal.SIGKILL)
database = Path(sys.argv[1])
relay.load_once(database, database.parent / "outbox")
"""


@pytest.mark.parametrize("when", ["before the commit", "before the trim"])
def test_a_loader_that_is_killed_loses_and_repeats_nothing(
    outbox: Outbox, database: Path, when: str
) -> None:
    given = sorted(submit(outbox) for _ in range(20))
    killed = subprocess.run([sys.executable, "-c", KILLED, str(database), when], check=False)
    assert killed.returncode == -9
    if when == "before the commit":
        assert ids(database) == []
    load(database)
    assert ids(database) == given


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        "{}",
        payload_of(task_id="7"),
        payload_of(satisfaction=5),
        payload_of(submitted_at="yesterday"),
        payload_of(stars=5),
        payload_of().replace("good", "\\ud800"),
    ],
)
def test_what_is_no_feedback_is_a_dead_letter_that_can_be_replayed(
    outbox: Outbox, database: Path, bad: str
) -> None:
    outbox.put("feedback", bad)
    good = submit(outbox)
    load(database)
    assert ids(database) == [good]
    [letter] = read_dead_letters(database)
    assert (letter.kind, letter.payload) == ("feedback", bad)
    with pytest.raises(DeadLetterError, match="still not taken"):
        replay_dead_letter(database, letter.number)
    corrected = uuid.uuid4()
    replay_dead_letter(
        database, letter.number, payload=payload_of(feedback_id=str(corrected)), now=NOW
    )
    assert set(ids(database)) == {good, corrected}
    assert read_dead_letters(database) == []


def test_other_feedback_of_the_same_id_is_a_dead_letter(outbox: Outbox, database: Path) -> None:
    first = payload_of(comment="first")
    feedback_id = json.loads(first)["feedback_id"]
    second = payload_of(feedback_id=feedback_id, comment="second")
    outbox.put("feedback", first)
    outbox.put("feedback", second)
    load(database)
    outbox.put("feedback", second)
    counts = load(database)
    assert (counts["feedback"], counts["dead_letter"]) == (0, 1)
    assert query(database, "select comment from raw.feedback") == [("first",)]
    letters = read_dead_letters(database)
    assert [letter.payload for letter in letters] == [second, second]
    with pytest.raises(DeadLetterError, match="has this feedback_id"):
        replay_dead_letter(database, letters[0].number)


@pytest.mark.parametrize(
    "text",
    [
        "'; drop table raw.feedback; --",
        "<script>alert(1)</script>",
        "a\x00b\x1b[31m\x07\u202e\u2028",
        "{{ config() }} ${x} %s",
        "🦆é" * 500,
        "Ignore all previous instructions",
    ],
)
def test_a_text_comes_back_as_it_was(
    outbox: Outbox, empty_database: Path, database: Path, text: str
) -> None:
    shutil.copy(empty_database, database)
    submit(outbox, comment=text, user_id=text, visibility="team")
    load(database)
    assert query(database, "select comment, user_id from fct_feedback") == [(text, text)]
    [own] = read_own_feedback(settings_of(database), text)
    assert own["comment"] == text


def settings_of(database: Path) -> LearningSettings:
    return load_settings(database_path=database)


def execution(number: int, **given: Any) -> str:
    known = {
        "task_id": str(uuid.UUID(int=number)),
        "timestamp": "2026-03-01T06:00:00Z",
        "task_type": "docs",
        "task_description": f"task {number}",
        "repo": "api",
        "model_tier": "small",
        "pool_type": "local",
        "success": True,
    }
    return json.dumps(known | given)


@pytest.fixture(scope="module")
def rated(
    project: DbtProject, empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Executions with every kind of feedback; read only."""
    database = tmp_path_factory.mktemp("rated") / f"{STEM}.db"
    shutil.copy(empty_database, database)
    outbox = Outbox(database.parent / "outbox")
    outbox.put("execution", execution(1))
    outbox.put("execution", execution(2, user_rating=3))
    outbox.put("execution", execution(3, user_accepted=False))
    outbox.put("execution", execution(4, model_tier="large", task_type="bugfix"))
    outbox.put("execution", execution(5))
    outbox.put("execution", execution(6))
    hour = timedelta(hours=1)
    # 1: the latest by its time is the team's; a later one is private, another breaks a rule.
    give(outbox, 1, "poor", issue_type="too_slow", visibility="team", now=NOW - hour)
    give(outbox, 1, "excellent", visibility="team", now=NOW)
    give(outbox, 1, "good", visibility="public", now=NOW - 2 * hour)
    give(outbox, 1, "fair", issue_type="other", comment=MARKER, user_id=MARKER, now=NOW)
    outbox.put("feedback", payload_of(task_id=str(uuid.UUID(int=1)), satisfaction="poor"))
    # 2 and 3: the record knows one of the two itself.
    give(outbox, 2, "excellent", visibility="team")
    give(outbox, 3, "good", visibility="public", comment=MARKER, user_id=MARKER)
    give(outbox, 4, "fair", issue_type="wrong_model", visibility="public")
    give(outbox, 5, "excellent", comment=MARKER, user_id=MARKER)
    # None of these has an execution.
    give(outbox, 7, "poor", issue_type="too_slow", visibility="team")
    give(outbox, 8, "excellent", comment=MARKER, user_id=MARKER)
    outbox.put(
        "feedback", payload_of(visibility=None, comment=MARKER, user_id=MARKER, satisfaction=MARKER)
    )
    outbox.close()
    load(database)
    as_of = NOW.isoformat()
    reports = ["rpt_user_ratings", "rpt_quality_by_tier", "rpt_unknown_values", "rpt_feedback"]
    models = ["fct_executions", "executions", "int_executions_by_range"]
    project.run(database, select=[*models, *reports], as_of=as_of)
    return database


def give(outbox: Outbox, number: int, satisfaction: str, **given: Any) -> None:
    submit(outbox, task_id=uuid.UUID(int=number), satisfaction=satisfaction, **given)


def test_executions_have_the_latest_rating_that_others_may_see(rated: Path) -> None:
    rows = query(rated, "select task_id, user_rating, user_accepted from executions order by 1")
    assert [(key.int, rating, accepted) for key, rating, accepted in rows] == [
        (1, 5, True),
        (2, 3, True),
        (3, 4, False),
        (4, 2, False),
        (5, None, None),
        (6, None, None),
    ]


def test_reports_about_ratings_show_the_same(rated: Path) -> None:
    ratings = "select user_rating, rating_count from rpt_user_ratings where time_range = '24h'"
    assert set(query(rated, ratings)) == {(5, 1), (3, 1), (4, 1), (2, 1)}
    tiers = query(
        rated,
        "select model_tier, avg_user_rating, rating_known_count, accepted_count, "
        "acceptance_known_count from rpt_quality_by_tier where time_range = '24h' order by 1",
    )
    assert tiers == [("large", 2, 1, 0, 1), ("small", 4, 3, 2, 3)]
    unknown = query(
        rated,
        "select column_name, unknown_count from rpt_unknown_values where time_range = '24h' "
        "and column_name in ('user_rating', 'user_accepted') order by 1",
    )
    assert unknown == [("user_accepted", 2), ("user_rating", 2)]


def test_rpt_feedback_sums_up_what_others_may_see(rated: Path) -> None:
    rows = query(
        rated,
        "select has_execution, model_tier, task_type, issue_type, feedback_count, "
        "excellent_count, good_count, fair_count, poor_count, avg_user_rating, acceptance_rate "
        "from rpt_feedback where time_range = '24h' order by all",
    )
    assert rows == [
        (False, None, None, "too_slow", 1, 0, 0, 0, 1, 1, 0),
        (True, "large", "bugfix", "wrong_model", 1, 0, 0, 1, 0, 2, 0),
        (True, "small", "docs", "too_slow", 1, 0, 0, 0, 1, 1, 0),
        (True, "small", "docs", None, 4, 2, 2, 0, 0, 4.5, 1),
    ]
    hours = query(rated, "select sum(feedback_count) from rpt_feedback where time_range = '1h'")
    assert hours == [(6,)]  # all but the one of two hours ago


def test_nothing_private_is_in_any_relation_that_people_and_tools_query(rated: Path) -> None:
    private = query(
        rated,
        "select feedback_id::varchar, task_id::varchar from raw.feedback "
        "where user_id is not distinct from ? or visibility = 'private'",
        MARKER,
    )
    assert len(private) == 4
    with duckdb.connect(rated, read_only=True) as connection:
        relations = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'main'"
        ).fetchall()
        assert {("fct_feedback",), ("stg_feedback",), ("executions",)} <= set(relations)
        for (relation,) in relations:
            found = f"select count(*) from {relation} as _row where contains(_row::varchar, ?)"
            assert connection.execute(found, [MARKER]).fetchall() == [(0,)], relation
        hidden = connection.execute(
            "select count(*) from stg_feedback where visibility = 'private' "
            "and coalesce(task_id::varchar, submitted_at::varchar, satisfaction, issue_type, "
            "comment, user_id) is null"
        ).fetchall()
    assert hidden == [(4,)]


def test_public_feedback_is_kept_without_a_name_and_shown_without_a_task(rated: Path) -> None:
    rows = query(
        rated,
        "select task_id, user_id, comment, task_type, model_tier, satisfaction, issue_type "
        "from fct_feedback where visibility = 'public' order by satisfaction, model_tier, 1",
    )
    assert rows == [
        (None, None, None, "bugfix", "large", "fair", "wrong_model"),
        (None, None, None, "docs", "small", "good", None),
        (None, None, None, "docs", "small", "good", None),
    ]
    kept = query(
        rated,
        "select count(*), count(user_id), count(comment) from raw.feedback "
        "where visibility = 'public'",
    )
    assert kept == [(3, 0, 0)]
    # Whoever knows its id may delete it, so nobody can read it.
    shown = set(ids(rated, "fct_feedback")) | set(ids(rated, "stg_feedback"))
    public = query(rated, "select feedback_id from raw.feedback where visibility = 'public'")
    assert not shown & {key for (key,) in public}


def test_no_query_ties_public_feedback_to_a_task_or_a_moment(rated: Path, tmp_path: Path) -> None:
    rated = Path(shutil.copy(rated, tmp_path))
    outbox = Outbox(rated.parent / "outbox")
    public, private = NOW - timedelta(seconds=1.234567), NOW - timedelta(seconds=2.345678)
    said = {"satisfaction": "poor", "issue_type": "poor_quality"}
    give(outbox, 4, **said, visibility="public", now=public)
    give(outbox, 70, **said, visibility="public", now=public)
    give(outbox, 71, **said, comment=MARKER, user_id=MARKER, now=private)
    outbox.close()
    load(rated)
    with connect(rated, read_only=True) as connection:
        shown = connection.execute(
            "select count(*) from fct_feedback where issue_type = 'poor_quality'"
        ).fetchall()
        assert shown == [(2,)]
        for relation in readable_relations(connection):
            statement = check_sql(connection, f"select t::varchar from {relation} as t")
            for (row,) in connection.execute(statement).fetchall():
                text = str(row)
                for hidden in (uuid.UUID(int=70), uuid.UUID(int=71), public, private, MARKER):
                    assert str(hidden) not in text, relation
                assert str(uuid.UUID(int=4)) not in text or "poor_quality" not in text, relation
        moments = connection.execute(
            "select submitted_at, _load_seq from fct_feedback where visibility = 'public'"
        ).fetchall()
        # The load numbers and the moments of the team's feedback are no secret.
        team = connection.execute(
            "select count(_load_seq), count(*) from fct_feedback where visibility = 'team'"
        ).fetchall()
    midnight = NOW.replace(hour=0)
    assert set(moments) == {(midnight, None)}
    assert team == [(4, 4)]


def test_the_facade_gives_feedback_in_the_users_name(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORB_USER", "bob")

    async def use() -> uuid.UUID:
        async with LearningDatabase(database) as learning:
            return await learning.submit_feedback(TASK, "poor", "other", "why", "team")

    feedback_id = asyncio.run(use())
    columns = "feedback_id, task_id, satisfaction, issue_type, comment, visibility, user_id"
    rows = query(database, f"select {columns} from raw.feedback")
    assert rows == [(feedback_id, TASK, "poor", "other", "why", "team", "bob")]


@pytest.mark.parametrize("name", ["enable_feedback_collection", "enabled"])
def test_it_is_refused_where_it_is_switched_off(
    database: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    learning = LearningDatabase(database, **{name: False})
    with pytest.raises(FeedbackError, match=rf"learning\.{name} is off"):
        asyncio.run(learning.submit_feedback(TASK, "good"))
    monkeypatch.setenv("ORB_DATABASE", str(database))
    monkeypatch.setenv(f"ORB_LEARNING__{name.upper()}", "false")
    said = CliRunner().invoke(app, ["feedback", "submit", str(TASK), "good"])
    assert said.exit_code == 1
    assert f"learning.{name} is off" in said.stderr
    assert files_of(database.parent / "outbox") == []


class Person:
    """Somebody at the command line."""

    def __init__(self, database: Path, name: str):
        self.environment = {"ORB_DATABASE": str(database), "ORB_USER": name}

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        said = CliRunner().invoke(app, ["feedback", *arguments], env=self.environment)
        assert (said.exit_code != 0) == fails, said.output
        return said.output.strip()

    def exported(self) -> list[dict[str, Any]]:
        return list(json.loads(self("export")))


def test_people_list_export_and_delete_only_their_own(database: Path) -> None:
    ann, bob = Person(database, "ann"), Person(database, "bob")
    first = ann("submit", str(TASK), "poor", "--issue", "other", "--comment", "\x1b[31m [b]why")
    second = ann("submit", str(TASK), "good", "--visibility", "team")
    public = ann("submit", str(TASK), "excellent", "--visibility", "public")
    bobs = bob("submit", str(TASK), "good")
    assert Person(database, "eve")("list") == "You have given no feedback that is not public."
    # Nothing was loaded yet.
    assert [row["feedback_id"] for row in ann.exported()] == [second, first]
    assert ann.exported()[1]["comment"] == "\x1b[31m [b]why"
    assert ann.exported()[0]["has_execution"] is False
    assert json.loads(ann("list", "--json")) == ann.exported()
    shown = ann("list")
    assert "[31m [b]why" in shown
    assert "\x1b[31m" not in shown
    assert f"{first}  " in shown  # whole and on one line, at any width
    assert f"  of task {TASK} (has not come yet)\n  poor, other; private\n" in shown
    assert "is not one" not in ann("submit", str(TASK), "best", fails=True)
    assert bobs in bob("list")
    assert f"bob has no feedback {first}" in bob("delete", bobs, first, fails=True)
    assert [row["feedback_id"] for row in bob.exported()] == [bobs]
    assert ann("delete", first, public) == "2 deleted"
    assert [row["feedback_id"] for row in ann.exported()] == [second]
    assert set(map(str, ids(database))) == {second, bobs}
    left = b"".join(file.read_bytes() for file in files_of(database.parent / "outbox"))
    assert first.encode() in left  # the order to delete it, by its id
    assert b"why" not in left


def test_a_list_names_the_task_as_it_was_recorded(database: Path) -> None:
    outbox = Outbox(database.parent / "outbox")
    capture = TelemetryCapture(outbox)
    for name in ("task-7", "\x1b[31m [b]7"):
        assert capture.store_execution_telemetry("p", {"id": name}, True, NOW, NOW)
    assert capture.store_execution_telemetry("p", {"id": TASK}, True, NOW, NOW)
    ann = Person(database, "ann")
    for name in ("task-7", "\x1b[31m [b]7", str(TASK), "task-8"):
        ann("submit", name, "good")
    shown = ann("list")
    assert f"  of task task-7 ({task_uuid('task-7')})\n" in shown
    assert "  of task [31m [b]7 (" in shown
    assert f"  of task {TASK}\n" in shown
    assert f"  of task {task_uuid('task-8')} (has not come yet)\n" in shown
    assert {row["external_id"] for row in ann.exported()} == {"task-7", "\x1b[31m [b]7", None}


def test_what_was_taken_back_stays_away_in_whatever_order_it_comes(
    outbox: Outbox, database: Path
) -> None:
    payload = payload_of()
    feedback_id = uuid.UUID(json.loads(payload)["feedback_id"])
    order_deletion(outbox, [feedback_id])
    outbox.put("feedback", payload)
    load(database)
    outbox.put("feedback", payload)
    load(database)
    assert ids(database) == []
    assert query(database, "select * from raw.deleted_feedback") == [(feedback_id, NOW)]


def test_taken_back_feedback_is_in_no_dead_letter_and_not_in_the_outbox(
    outbox: Outbox, database: Path
) -> None:
    """Other feedback of its id, and what was spoilt, have its comment, too."""
    other = payload_of(stars=5, comment="nothing to hide")
    said = payload_of(comment=MARKER, visibility="private")
    feedback_id = uuid.UUID(json.loads(said)["feedback_id"])
    spoilt = payload_of(feedback_id=str(feedback_id), comment=MARKER, stars=5)
    same_id = payload_of(feedback_id=str(feedback_id), comment=f"{MARKER} again")
    for payload in (said, other, spoilt, same_id):
        outbox.put("feedback", payload)
    load(database)
    assert len(read_dead_letters(database)) == 3
    outbox.put("feedback", spoilt)
    assert delete_own_feedback(settings_of(database), [feedback_id], "ann") == 1
    assert [letter.payload for letter in read_dead_letters(database)] == [other]
    left = b"".join(path.read_bytes() for path in files_of(outbox.folder))
    assert MARKER.encode() not in left
    outbox.put("feedback", spoilt)
    load(database)
    assert [letter.payload for letter in read_dead_letters(database)] == [other]


def restored(database: Path, backup: Path) -> None:
    restore_backup(settings_of(database), backup)


@pytest.mark.slow
def test_a_restore_brings_feedback_back_but_not_what_was_taken_back(
    outbox: Outbox, empty_database: Path, database: Path
) -> None:
    shutil.copy(empty_database, database)
    kept, gone, gone_later = (submit(outbox) for _ in range(3))
    load(database)
    backup = make_backup(settings_of(database)).backup
    manifest = json.loads((backup.folder / "manifest.json").read_text())
    assert manifest["tables"]["raw.feedback"]["rows"] == 3
    later = submit(outbox)
    outbox.close()
    settings = settings_of(database)
    assert delete_own_feedback(settings, [gone], "ann") == 1
    # The outbox no longer has the order; only the database knows.
    assert delete_own_feedback(settings, [gone_later], "ann") == 1
    for path in files_of(outbox.folder):
        with open_reader(path) as reader:
            orders = [one for one in reader.read(0, -1) if one.kind == "delete_feedback"]
            if str(gone_later) in "".join(order.payload for order in orders):
                reader.erase([order.sequence_number for order in orders])
    restored(database, backup.folder)
    assert set(ids(database)) == {kept, later}
    # Counted once each, though what came later was loaded twice.
    assert query(database, "from raw.feedback_counts") == [(4, 2)]


def test_feedback_goes_with_its_execution_and_comes_back_with_it(history: History) -> None:
    folder = history.database.parent
    outbox = Outbox(folder / "outbox")
    old, young = days_ago(40), days_ago(1)
    # Task 5 is old, and so is task 99, which never came; task 1 is young.
    [(oldest, its_day)] = query(
        history.database, "select arg_min(task_id, timestamp), min(timestamp) from fct_executions"
    )
    [(youngest,)] = query(
        history.database, "select arg_max(task_id, timestamp) from fct_executions"
    )
    of_old = submit(outbox, task_id=oldest, now=young, comment="why", visibility="team")
    of_nothing = submit(outbox, task_id=task_id(99), now=old)
    of_nothing_yet = submit(outbox, task_id=task_id(98), now=young)
    of_young = submit(outbox, task_id=youngest, now=old)
    outbox.close()
    load(history.database, history.as_of)
    every = query(history.database, "from raw.feedback order by _load_seq")
    assert len(every) == 4
    retain(history)
    assert set(ids(history.database)) == {of_nothing_yet, of_young}
    archive = folder / "archive"
    in_archive = f"from '{archive}/feedback_archive_*.parquet' order by _load_seq"
    rows = query(history.database, in_archive)
    assert [row[0] for row in rows] == [of_old, of_nothing]
    files = query(
        history.database,
        "select archived_day, feedback_count from raw.archived_feedback_files order by 1",
    )
    assert files == [(its_day.date(), 1), (old.date(), 1)]
    retain(history)
    assert len(list(archive.glob("feedback_archive_*"))) == 2
    settings = settings_of(history.database)
    assert list(check_archive(settings)) == []
    own = read_own_feedback(settings, "ann")
    assert {row["feedback_id"]: row["is_archived"] for row in own} == {
        of_old: True,
        of_nothing: True,
        of_nothing_yet: False,
        of_young: False,
    }

    unarchive(settings, its_day.date(), old.date(), now=history.as_of)
    assert query(history.database, "from raw.feedback order by _load_seq") == every
    retain(history)  # the days are held
    assert query(history.database, "from raw.feedback order by _load_seq") == every
    release_holds(settings)
    retain(history)
    assert set(ids(history.database)) == {of_nothing_yet, of_young}
    assert len(list(archive.glob("feedback_archive_*"))) == 2

    assert delete_own_feedback(settings, [of_nothing], "ann", now=history.as_of) == 1
    assert [row[0] for row in query(history.database, in_archive)] == [of_old]
    assert list(check_archive(settings)) == []
    unarchive(settings, its_day.date(), old.date(), now=history.as_of)
    assert set(ids(history.database)) == {of_nothing_yet, of_young, of_old}


def retain(history: History) -> None:
    arguments = {"days_to_keep": 30, "archive_path": str(history.database.parent / "archive")}
    history.project.operate(
        history.database,
        "archive_and_retain",
        arguments,
        as_of=history.as_of.isoformat(),
        **history.variables,
    )


def test_forgetting_a_task_forgets_what_was_said_of_it(outbox: Outbox, database: Path) -> None:
    archived, live = submit(outbox, comment=MARKER), submit(outbox, comment=MARKER)
    load(database)
    archive = database.parent / "archive"
    archive.mkdir()
    file = archive / "feedback_archive_20260301.parquet"
    with connect(database) as connection:
        connection.execute(f"copy (from raw.feedback where feedback_id = '{archived}') to '{file}'")
        connection.execute("delete from raw.feedback where feedback_id = ?", [archived])
        connection.execute(
            "insert into raw.archived_feedback_files values (?, ?, 1, 1, 'x', ?, null)",
            [file.name, NOW, NOW],
        )
    payload = payload_of(task_id=str(TASK), comment=MARKER)
    outbox.put("feedback", payload)
    outbox.put("feedback", payload_of(task_id=str(TASK), comment=MARKER, stars=5))
    other = submit(outbox, task_id=task_id(8))
    outbox.close()
    load(database)
    assert len(ids(database)) == 3
    assert live in ids(database)
    backup = make_backup(settings_of(database)).backup
    result = erase(settings_of(database), task_ids=[TASK], now=NOW)
    assert ids(database) == [other]
    assert read_dead_letters(database) == []
    assert query(database, f"from '{file}'") == []
    assert query(database, "select feedback_count from raw.archived_feedback_files") == [(0,)]
    assert list(check_archive(settings_of(database))) == []
    left = b"".join(path.read_bytes() for path in files_of(outbox.folder))
    assert MARKER.encode() not in left
    assert result.still_in == [backup.folder]
    again = Outbox(outbox.folder)
    again.put("feedback", payload)
    load(database)
    assert ids(database) == [other]


def test_the_documents_commands_and_query_run(
    database: Path, rated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (REPOSITORY / "docs/feedback.md").read_text()
    ann = Person(database, "ann")
    said = ""
    for program, group, *words in words_of_shell_blocks(text):
        assert (program, group) == ("orb", "feedback")
        arguments = [said.splitlines()[-1] if word == "FEEDBACK_ID" else word for word in words]
        if ">" in arguments:
            assert len(json.loads(ann(*arguments[: arguments.index(">")]))) == 2
            continue
        output = ann(*arguments)
        said = output if words[0] == "submit" else said
    assert query(database, "select visibility from raw.feedback order by 1") == [
        ("private",),
        ("team",),
    ]
    [statement] = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    assert len(query(rated, statement)) == 3
