"""``describe_data``: what can be queried, and what its columns mean."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from orb_learning.errors import did_you_mean
from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import ALL_HELD, Result, Text
from orb_learning.store import IS_PUBLIC

PUBLIC = f"""
with relations as (
    select table_name as relation_name, comment
    from duckdb_tables()
    where schema_name = 'main' and database_name = current_database()
    union all
    select view_name as relation_name, comment
    from duckdb_views()
    where schema_name = 'main' and database_name = current_database() and not internal
)
select
    relation_name,
    comment as sentence,
    replace(split_part(comment, '. ', 1), 'One row is ', '') as whole,
    -- cut between two words
    if(len(whole) <= 80, whole, regexp_replace(left(whole, 80), ' [^ ]*$', ' …')) as row_is
from relations
where {IS_PUBLIC} or relation_name = 'fct_feedback'
order by starts_with(relation_name, 'rpt_'), relation_name
"""  # noqa: S608
"""Those that people and agents query; the page's own reports are left out."""

COLUMNS = """
select
    column_name,
    data_type,
    comment as meaning
from duckdb_columns()
where
    schema_name = 'main'
    and database_name = current_database()
    and table_name = $relation
order by column_index
"""
UNKNOWN = """
select column_name, unknown_share
from rpt_unknown_values
where time_range = '90d'
"""
KEYS = """
select
    metadata_key,
    count(*) as execution_count
from (
    select unnest(json_keys(metadata)) as metadata_key
    from (select metadata from executions order by timestamp desc limit 1000)
)
group by metadata_key
order by execution_count desc, metadata_key
limit 50
"""


class Relation(BaseModel):
    """A relation that can be queried."""

    relation_name: str
    row_is: Text | None = Field(description="What a row of it is, the first 80 characters.")


class ColumnMeaning(BaseModel):
    """A column of the relation."""

    column_name: str
    data_type: str = Field(description="Its DuckDB type.")
    meaning: Text | None = Field(description="What it says, its unit and range.")
    unknown_share: float | None = Field(
        None,
        description="Of executions: the share of the last 90 days' in which it is unknown, 0 to 1; "
        "null where it cannot be, or there were none.",
    )


class MetadataKey(BaseModel):
    """A key in the metadata of executions."""

    metadata_key: Text
    execution_count: int = Field(description="Of the newest 1,000 executions, those that have it.")


class DataDescription(Result):
    """What can be queried."""

    sentence: Text | None = Field(None, description="What a row of the relation is.")
    relations: list[Relation] = Field([], description="The relations, where none was named.")
    columns: list[ColumnMeaning] = Field([], description="The columns of the one named, in order.")
    metadata_keys: list[MetadataKey] = Field(
        [], description="Of executions: the keys in the column metadata, the most frequent first."
    )


async def describe_data(
    reader: Reader,
    relation: Annotated[
        str | None,
        Field(max_length=200, description="A relation to describe; if left out, all are listed."),
    ] = None,
) -> DataDescription:
    """List the relations that can be queried, or say what the columns of one mean.

    Ask before you write a query of your own.
    """

    def describe(snapshot: Snapshot) -> DataDescription:
        known = {row["relation_name"]: row for row in snapshot.rows(PUBLIC)}
        if relation is None:
            return snapshot.result(DataDescription, window=ALL_HELD, relations=list(known.values()))
        if known and relation not in known:
            raise ValueError(
                f"relation: there is no such relation{did_you_mean(relation, list(known))} "
                f"(got {relation!r}); describe_data without one lists them"
            )
        columns = snapshot.rows(COLUMNS, relation=relation)
        keys: list[dict[str, object]] = []
        if relation.startswith("executions"):
            keys = snapshot.rows(KEYS)
            unknown = {row["column_name"]: row for row in snapshot.rows(UNKNOWN)}
            columns = [column | unknown.get(column["column_name"], {}) for column in columns]
        return snapshot.result(
            DataDescription,
            window=f"{ALL_HELD}; unknown_share: 90d; metadata_keys: the newest 1,000 executions",
            sentence=known.get(relation, {}).get("sentence"),
            columns=columns,
            metadata_keys=keys,
        )

    return await reader.read(describe)
