"""The settings, typed, each with its range.

Every setting is read from ``ORB_LEARNING__<KEY>``; the database's path is read from
``ORB_DATABASE`` first, because dbt's profile reads that variable too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from orb_learning.errors import SettingsError

ENV_PREFIX = "ORB_LEARNING__"


class LearningSettings(BaseSettings):
    """The ``learning.*`` settings of the orchestrator.

    Raises:
        pydantic.ValidationError: a value is of the wrong type or out of its range;
            ``load_settings`` turns it into a SettingsError.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, extra="forbid", frozen=True, populate_by_name=True
    )

    enabled: bool = Field(True, description="whether the orchestrator learns at all")
    database_path: Path = Field(
        Path("data/learning.db"),
        validation_alias=AliasChoices("ORB_DATABASE", f"{ENV_PREFIX}DATABASE_PATH"),
        description="the DuckDB file; ORB_DATABASE goes before ORB_LEARNING__DATABASE_PATH",
    )
    retention_days: int = Field(
        90, ge=7, le=365, description="days that an execution stays in the database"
    )
    enable_feedback_collection: bool = Field(True, description="whether feedback is taken")
    enable_telemetry_capture: bool = Field(True, description="whether executions are recorded")
    embedding_model: str = Field(
        "all-MiniLM-L6-v2", min_length=1, description="the sentence-transformers model"
    )
    similarity_threshold: float = Field(
        0.7, ge=0, le=1, description="least cosine similarity of a similar execution"
    )
    min_samples_for_learning: int = Field(
        10, ge=1, le=1_000_000, description="executions below which a rate is not acted on"
    )
    batch_size: int = Field(100, ge=1, le=1_000, description="records that are written together")


def load_settings(**given: Any) -> LearningSettings:
    """Return the settings: the given ones, else the environment's, else the defaults.

    Raises:
        SettingsError: names each bad setting, its value, and the range or type it must have.
    """
    try:
        return LearningSettings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(item) for item in error.errors())) from error


def _explain(item: Any) -> str:
    name = str(item["loc"][0]).removeprefix(ENV_PREFIX).lower()
    name = "database_path" if name == "orb_database" else name
    field = LearningSettings.model_fields.get(name)
    if field is None:
        known = ", ".join(LearningSettings.model_fields)
        return f"learning.{name} is not a setting; the settings are {known}"
    bounds = {
        key: getattr(part, key)
        for part in field.metadata
        for key in ("ge", "le")
        if hasattr(part, key)
    }
    must = f"must be {bounds['ge']} to {bounds['le']}" if bounds else str(item["msg"])
    return (
        f"learning.{name} = {item['input']!r}: {must} ({field.description}); "
        f"set {ENV_PREFIX}{name.upper()}"
    )
