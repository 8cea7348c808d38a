"""The settings, typed, each with its range.

Every setting is read from ``ORB_LEARNING__<KEY>``; the database's path is read from
``ORB_DATABASE`` first, because dbt's profile reads that variable too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from orb_learning.errors import SettingsError, did_you_mean
from orb_learning.filesystem import is_url, names_a_secret, public_value
from orb_learning.locator import DATA_VARIABLE, folder_of, is_lake

ENV_PREFIX = "ORB_LEARNING__"
SHORT_VARIABLES = ("ORB_DATABASE", DATA_VARIABLE, "ORB_OUTBOX", "ORB_USER")
MEANT = 0.85
"""The likeness from which another variable that begins with ORB_ is taken to be meant for one."""


class LearningSettings(BaseSettings, hide_input_in_errors=True):  # for tracebacks
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
        description="the DuckDB file, or a lake's catalog; ORB_DATABASE goes before this one",
    )
    retention_days: int = Field(
        90, ge=7, le=365, description="days that an execution stays in the database"
    )
    retention_takes_imported: bool = Field(
        False,
        description="whether retention takes what was older than the limit when it was imported, "
        "without `orb retention --yes`",
    )
    enable_feedback_collection: bool = Field(True, description="whether feedback is taken")
    enable_telemetry_capture: bool = Field(True, description="whether executions are recorded")
    id_scope: str = Field(
        "", description="keeps ids of tasks that are no UUIDs apart from another orchestrator's"
    )
    naive_times: Literal["local", "utc", "refuse"] = Field(
        "local", description="what a recorded time without a zone is in: local, this machine's"
    )
    redact_secrets: bool = Field(
        False,
        description="whether keys, tokens and e-mail addresses are taken out of recorded texts",
    )
    embedding_model: str = Field(
        "all-MiniLM-L6-v2", min_length=1, description="the sentence-transformers model"
    )
    embeddings: Literal["auto", "on", "off"] = Field(
        "auto",
        description="whether builds embed new texts: auto, where the extra embeddings is installed",
    )
    similarity_threshold: float = Field(
        0.4,
        ge=0,
        le=1,
        description="cosine similarity below which a similar execution is a weak match; "
        "where it is set, searches without a threshold of their own leave those out",
    )
    min_samples_for_learning: int = Field(
        10, ge=1, le=1_000_000, description="tasks below which a rate is not acted on"
    )
    batch_size: int = Field(
        100, ge=1, le=1_000, description="waiting records that are loaded before the flush interval"
    )
    flush_interval: float = Field(
        5.0, ge=0.05, le=3600, description="seconds between two loads of a long-lived process"
    )
    outbox_path: Path | None = Field(
        None,
        validation_alias=AliasChoices("ORB_OUTBOX", f"{ENV_PREFIX}OUTBOX_PATH"),
        description="the outbox's folder, outbox/ beside the database if not set; ORB_OUTBOX goes "
        "before ORB_LEARNING__OUTBOX_PATH",
    )
    outbox_synchronous: Literal["NORMAL", "FULL"] = Field(
        "NORMAL", description="FULL waits for the disk with every record, against a power cut"
    )
    outbox_busy_timeout_ms: int = Field(
        50, ge=0, le=10_000, description="milliseconds until a record is refused as busy"
    )
    outbox_size_limit_mb: int = Field(
        1_024,
        ge=1,
        le=1_048_576,
        description="MB of the outbox from which records are refused; loaded ones that no backup "
        "holds go from half of it",
    )
    outbox_age_limit_days: float = Field(
        7.0, ge=0, le=365, description="days that a loaded record waits in the outbox for a backup"
    )
    span_outbox_size_limit_mb: int = Field(
        4_096,
        ge=1,
        le=1_048_576,
        description="MB of spans from which orb collect answers 503; loaded go from half of it",
    )
    span_retention_days: float = Field(
        7.0, ge=0.04, le=365, description="days that a trace's spans are kept after the last came"
    )
    redact_spans: bool = Field(
        True, description="whether orb collect takes keys, tokens and e-mail addresses out"
    )
    collector_token_file: Path | None = Field(
        None,
        description="the file of orb collect's tokens, `USER TOKEN` a line; for other machines",
    )
    lone_half_hours: float = Field(
        24.0,
        ge=0,
        le=8_760,
        description="hours that a routing decision or an outcome waits for the other one",
    )
    project_path: Path | None = Field(
        None,
        description="the folder of the dbt project; if not set, the present folder where it is "
        "one, else the package's own",
    )
    archive_path: Path | None = Field(
        None, description="the folder of archived days, archive/ beside the database if not set"
    )
    routing_path: Path | None = Field(
        None, description="what builds publish for routers, routing.json by the database if not set"
    )
    routing_max_age_hours: float = Field(
        48.0, ge=1, le=8_760, description="hours for which routers draw by what was published"
    )
    export_path: Path | None = Field(
        None,
        description="where `orb maintain` writes what `orb export` does; nowhere if not set",
    )
    backup_path: Path | None = Field(
        None, description="the folder of backups, backups/ beside the database if not set"
    )
    backup_copy_to: str | None = Field(
        None,
        repr=False,
        description="where each verified backup and archived file is copied to besides: a folder, "
        "or a URL that fsspec knows, such as s3://bucket/backups",
    )
    backup_keep_last: int = Field(7, ge=1, le=10_000, description="newest backups that are kept")
    backup_keep_daily: int = Field(
        7, ge=0, le=10_000, description="days whose last backup is kept, from the newest back"
    )
    backup_keep_weekly: int = Field(
        4, ge=0, le=10_000, description="weeks whose last backup is kept, from the newest back"
    )
    backup_keep_monthly: int = Field(
        12, ge=0, le=10_000, description="months whose last backup is kept, from the newest back"
    )
    backup_key_file: Path | None = Field(
        None,
        description="the file of a key that backups are signed with; then one without its code is "
        "not restored. It must not be beside the backups",
    )
    mcp_token_file: Path | None = Field(
        None,
        description="the file of the MCP's tokens, `USER TOKEN` a line; for other machines",
    )
    mcp_memory_limit_mb: int = Field(
        1_024,
        ge=64,
        le=1_048_576,
        description="MB of memory for a query of the MCP tool `query`, and for all other tools "
        "together",
    )
    mcp_query_rows: int = Field(
        200, ge=1, le=100_000, description="rows that the MCP tool `query` returns at most"
    )
    mcp_answer_characters: int = Field(
        8_000,
        ge=4_000,
        le=10_000_000,
        description="characters of JSON that the answer of an MCP tool has at most",
    )
    mcp_query_seconds: float = Field(10.0, ge=0.1, le=600, description="seconds that `query` has")

    @field_validator("*", mode="before")
    @classmethod
    def _no_url_for_a_path(cls, value: Any, info: ValidationInfo) -> Any:
        kind = cls.model_fields[str(info.field_name)].annotation
        if info.field_name == "database_path" and is_lake(value):
            return value
        if kind in (Path, Path | None) and (is_url(str(value)) or names_a_secret(str(value))):
            raise ValueError("must be a path on this machine, and this is a URL or has a secret")
        return value

    def least_similarity(self, asked: float | None) -> float | None:
        """Return the similarity that a search cuts at: the one asked for, else one that was set."""
        is_set = "similarity_threshold" in self.model_fields_set
        return self.similarity_threshold if asked is None and is_set else asked

    @property
    def archive_folder(self) -> Path:
        """The folder of archived days."""
        return self.archive_path or folder_of(self.database_path) / "archive"

    @property
    def routing_file(self) -> Path:
        """The file that a build publishes for routers."""
        return self.routing_path or folder_of(self.database_path) / "routing.json"

    @property
    def backup_folder(self) -> Path:
        """The folder of backups."""
        return self.backup_path or folder_of(self.database_path) / "backups"

    @property
    def outbox_folder(self) -> Path:
        """The outbox's folder."""
        return self.outbox_path or folder_of(self.database_path) / "outbox"

    @property
    def span_outbox_folder(self) -> Path:
        """The folder of the outbox of spans, beside the other one."""
        return self.outbox_folder.with_name(f"{self.outbox_folder.name}_spans")

    @property
    def outbox_folders(self) -> tuple[Path, Path]:
        """Both outboxes; that of spans is there once a collector ran."""
        return self.outbox_folder, self.span_outbox_folder


def load_settings(**given: Any) -> LearningSettings:
    """Return the settings: the given ones, else the environment's, else the defaults.

    Raises:
        SettingsError: names each bad setting, its value, and the range or type it must have; and
            each variable of the environment that is none, but seems to be meant for one.
    """
    check_variables(os.environ)
    try:
        return LearningSettings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(item) for item in error.errors())) from error


def check_variables(environment: Iterable[str]) -> None:
    """Refuse variables that begin as settings do, or nearly are one, and are none.

    Args:
        environment: the names of the variables.

    Raises:
        SettingsError: names each, and the one that is nearest.
    """
    known = [
        *SHORT_VARIABLES,
        *(f"{ENV_PREFIX}{name.upper()}" for name in LearningSettings.model_fields),
    ]
    wrong = [
        f"{name} is no setting{nearest or LISTED}"
        for name in sorted(environment)
        if name.upper().startswith("ORB_") and name.upper() not in known
        for nearest in [did_you_mean(name.upper(), known, likeness=MEANT)]
        if name.upper().startswith(ENV_PREFIX.rstrip("_")) or nearest
    ]
    if wrong:
        raise SettingsError("; ".join(wrong))


LISTED = f"; the settings are {', '.join(LearningSettings.model_fields)}"


def _explain(item: Any) -> str:
    name = str(item["loc"][0]).removeprefix(ENV_PREFIX).lower()
    name = {"orb_database": "database_path", "orb_outbox": "outbox_path"}.get(name, name)
    field = LearningSettings.model_fields.get(name)
    if field is None:
        nearest = did_you_mean(name, LearningSettings.model_fields)
        return f"learning.{name} is not a setting{nearest}{LISTED}"
    bounds = {
        key: getattr(part, key)
        for part in field.metadata
        for key in ("ge", "le")
        if hasattr(part, key)
    }
    must = f"must be {bounds['ge']} to {bounds['le']}" if bounds else str(item["msg"])
    return (
        f"learning.{name} = {public_value(item['input'])}: {must} ({field.description}); "
        f"set {ENV_PREFIX}{name.upper()}"
    )
