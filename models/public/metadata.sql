-- One row is a fact about the database itself.
with

schema_versions as (
    select * from {{ ref('stg_schema_versions') }}
),

valid_executions as (
    select
        count(*) as row_count,
        min("timestamp") as oldest_execution,
        max("timestamp") as newest_execution,
        max(_loaded_at) as newest_load,
    from {{ ref('fct_executions') }}
),

rejected_versions as (
    select
        count(*) as row_count,
        max(_loaded_at) as newest_load,
    from {{ ref('rejected_executions') }}
),

all_versions as (
    select
        count(*) as row_count,
        max(_loaded_at) as newest_load,
    from {{ ref('stg_executions') }}
),

unreadable_rows as (
    select
        count(*) as row_count,
        max(loaded_at) as newest_load,
    from {{ ref('stg_unreadable_rows') }}
)

select
    'schema_version' as key,
    max(version)::varchar as value,
    max(applied_at) as updated_at,
from schema_versions
union all
select 'newest_load', newest_load::varchar, newest_load from all_versions
union all
select 'raw_version_count', row_count::varchar, newest_load from all_versions
union all
select 'execution_count', row_count::varchar, newest_load from valid_executions
union all
select 'oldest_execution', oldest_execution::varchar, newest_load from valid_executions
union all
select 'newest_execution', newest_execution::varchar, newest_load from valid_executions
union all
select 'rejected_version_count', row_count::varchar, newest_load from rejected_versions
union all
select 'unreadable_row_count', row_count::varchar, newest_load from unreadable_rows
