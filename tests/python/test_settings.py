"""The settings: defaults, environment, and refusals that name the range."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import BuildError, DbtProject

from orb_learning.errors import SettingsError
from orb_learning.settings import load_settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("ORB_")]:
        monkeypatch.delenv(name)


def test_the_defaults_are_those_of_the_first_design() -> None:
    settings = load_settings()
    assert settings.database_path == Path("data/learning.db")
    assert (settings.retention_days, settings.batch_size) == (90, 100)
    assert (settings.similarity_threshold, settings.min_samples_for_learning) == (0.4, 10)
    assert settings.embedding_model == "all-MiniLM-L6-v2"


def test_a_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORB_LEARNING__RETENTION_DAYS", "30")
    monkeypatch.setenv("ORB_LEARNING__DATABASE_PATH", "elsewhere.db")
    settings = load_settings()
    assert settings.retention_days == 30
    assert settings.database_path == Path("elsewhere.db")


def test_orb_database_goes_before_the_longer_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORB_DATABASE", "short.db")
    monkeypatch.setenv("ORB_LEARNING__DATABASE_PATH", "long.db")
    assert load_settings().database_path == Path("short.db")


def test_a_given_value_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORB_DATABASE", "short.db")
    assert load_settings(database_path="given.db").database_path == Path("given.db")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RETENTION_DAYS", "6", "must be 7 to 365"),
        ("RETENTION_DAYS", "366", "must be 7 to 365"),
        ("BATCH_SIZE", "0", "must be 1 to 1000"),
        ("BATCH_SIZE", "1001", "must be 1 to 1000"),
        ("SIMILARITY_THRESHOLD", "1.1", "must be 0 to 1"),
        ("MIN_SAMPLES_FOR_LEARNING", "0", "must be 1 to 1000000"),
        ("RETENTION_DAYS", "ninety", "ORB_LEARNING__RETENTION_DAYS"),
        ("ENABLED", "perhaps", "ORB_LEARNING__ENABLED"),
    ],
)
def test_a_bad_value_is_refused_with_its_range(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"ORB_LEARNING__{name}", value)
    with pytest.raises(SettingsError, match=f"learning.{name.lower()} = '{value}'.*{said}"):
        load_settings()


def test_a_name_that_is_no_setting_is_refused_with_those_that_are() -> None:
    with pytest.raises(SettingsError, match=r"retention is not a setting.*retention_days"):
        load_settings(retention=7)


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("ORB_LEARNING__RETENTION_DAY", "ORB_LEARNING__RETENTION_DAYS"),
        ("ORB_LEARNING_RETENTION_DAYS", "ORB_LEARNING__RETENTION_DAYS"),
        ("orb_learning__batchsize", "ORB_LEARNING__BATCH_SIZE"),
        ("ORB_DATABSE", "ORB_DATABASE"),
    ],
)
def test_a_variable_that_is_no_setting_is_refused_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, variable: str, nearest: str
) -> None:
    monkeypatch.setenv(variable, "30")
    with pytest.raises(SettingsError, match=f"{variable} is no setting; did you mean {nearest}"):
        load_settings()


def test_a_variable_like_no_setting_is_refused_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORB_LEARNING__WEATHER", "fair")
    with pytest.raises(SettingsError, match=r"no setting; the settings are .*retention_days"):
        load_settings()


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ORB_SEED", "ORB_KILLS", "ORBIT", "ORB_USER", "orb_learning__batch_size"):
        monkeypatch.setenv(name, "7")
    assert load_settings().batch_size == 7


def test_dbt_refuses_a_variable_that_is_no_setting(
    monkeypatch: pytest.MonkeyPatch, project: DbtProject, database: Path
) -> None:
    monkeypatch.setenv("ORB_LEARNING__MIN_SAMPLES_FOR_LERNING", "3")
    with pytest.raises(BuildError, match="did you mean ORB_LEARNING__MIN_SAMPLES_FOR_LEARNING"):
        project.run(database, command="seed")


@pytest.mark.parametrize(
    ("variable", "asked", "cut"), [(None, None, None), ("0.6", None, 0.6), ("0.6", 0.2, 0.2)]
)
def test_a_search_cuts_at_a_similarity_only_where_one_was_set(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, asked: float | None, cut: float | None
) -> None:
    if variable:
        monkeypatch.setenv("ORB_LEARNING__SIMILARITY_THRESHOLD", variable)
    assert load_settings().least_similarity(asked) == cut
