"""LiteLLM's router, in an environment of its own: what was learned picks the model group."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from building import REPOSITORY
from clients import run_client

from orb_learning import Router
from orb_learning.operations import load_outbox
from orb_learning.routing.litellm_strategy import LearnedStrategy
from orb_learning.settings import load_settings
from orb_learning.store import connect

TASK = {"repo": "shop", "task_type": "fix", "complexity_score": 10}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database beside which it is published that the shop's tasks are escalated."""
    plans = [{"plan": "small>large", "policy": "small>large", "propensity": 1.0}]
    unit = {"level": "repository", "repo": "shop", "plans": plans}
    published = {
        "version": 1,
        "built_at": datetime.now(UTC).isoformat(),
        "units": [unit],
        "medium_from": 34,
        "high_from": 67,
    }
    (tmp_path / "routing.json").write_text(json.dumps(published))
    return tmp_path / "learning.db"


class Groups:
    """A router with a deployment a group, as LiteLLM's has its list."""

    def __init__(self, *names: str):
        self.model_list = [{"model_name": name} for name in names]


def picked(
    strategy: LearnedStrategy, model: str, metadata: dict[str, Any], trace_id: str = "a request"
) -> str:
    request = {"metadata": metadata, "litellm_trace_id": trace_id}
    return str(strategy.get_available_deployment(model, request_kwargs=request)["model_name"])


def test_a_failed_try_is_followed_by_the_next_tier_of_the_same_decision(database: Path) -> None:
    strategy = LearnedStrategy(Groups("auto", "small", "large"), Router(database))
    metadata: dict[str, Any] = dict(TASK)
    assert picked(strategy, "auto", metadata) == "small"
    assert metadata["routing"]["candidates"] == [{"plan": "small>large", "propensity": 1.0}]
    assert picked(strategy, "auto", metadata) == "large"
    assert (metadata["routing"]["plan"], metadata["routing"]["attempt"]) == ("small>large", 2)
    assert picked(strategy, "auto", metadata) == "large"  # the plan has ended


def test_a_request_with_the_metadata_of_another_is_a_decision_of_its_own(database: Path) -> None:
    strategy = LearnedStrategy(Groups("auto", "small", "large"), Router(database))
    metadata: dict[str, Any] = dict(TASK)
    assert picked(strategy, "auto", metadata) == "small"
    assert picked(strategy, "auto", metadata, "the next request") == "small"
    assert metadata["routing"]["attempt"] == 1
    assert picked(strategy, "auto", metadata, "the next request") == "large"


def test_what_is_not_routed_stays_with_its_group(database: Path) -> None:
    strategy = LearnedStrategy(Groups("auto", "other"), Router(database))
    metadata: dict[str, Any] = dict(TASK)
    assert picked(strategy, "other", metadata) == "other"
    assert "routing" not in metadata
    assert picked(strategy, "auto", metadata) == "auto"  # no group has the tier's name


@pytest.mark.slow
def test_litellm_calls_the_group_that_was_learned(database: Path) -> None:
    environment = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONPATH": str(REPOSITORY / "python_ingest"),
        "ORB_DATABASE": str(database),
    }
    said = run_client("litellm_routing", environment, str(database))
    found = json.loads(said.splitlines()[-1])
    assert found["learned"]["answer"] == "of large"  # small failed, and large was tried next
    assert found["learned"]["routing"]["plan"] == "small>large"
    assert found["learned"]["routing"]["attempt"] == 2
    assert found["unknown"]["answer"] == "of large"  # the baseline
    assert found["other"] == {"answer": "of other", "routing": None}

    load_outbox(load_settings(database_path=database))
    with connect(database, read_only=True) as connection:
        tries = connection.execute(
            "select task_id::varchar, success, metadata ->> '$.routing.attempt', "
            "metadata ->> '$.routing.first_task_id', metadata -> '$.routing.candidates' "
            "from raw.executions order by timestamp"
        ).fetchall()
    candidates = '[{"plan":"small>large","propensity":1.0}]'
    first, second, *_ = tries
    assert first[1:] == (False, "1", None, candidates)
    assert second[1:] == (True, "2", first[0], candidates)
