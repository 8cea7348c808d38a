-- One row is a fact about the database itself.
with

newest_version as (
    select
        max(version) as version,
        max(applied_at) as applied_at
    from {{ ref('stg_schema_versions') }}
),

all_versions as (
    select
        count(*) as row_count,
        max(_loaded_at) as newest_load
    from {{ ref('stg_executions') }}
),

valid_executions as (
    select
        count(*) as row_count,
        min(timestamp) as oldest,
        max(timestamp) as newest,
        max(_loaded_at) as newest_load
    from {{ ref('fct_executions') }}
),

rejected_versions as (
    select
        count(*) as row_count,
        max(_loaded_at) as newest_load
    from {{ ref('rejected_executions') }}
),

unreadable_rows as (
    select
        count(*) as row_count,
        max(loaded_at) as newest_load
    from {{ ref('stg_unreadable_rows') }}
)

select
    'schema_version' as key,
    version::varchar as value,
    applied_at as updated_at
from newest_version
{% for key, value, facts in [
    ('newest_load', 'newest_load', 'all_versions'),
    ('raw_version_count', 'row_count', 'all_versions'),
    ('execution_count', 'row_count', 'valid_executions'),
    ('oldest_execution', 'oldest', 'valid_executions'),
    ('newest_execution', 'newest', 'valid_executions'),
    ('rejected_version_count', 'row_count', 'rejected_versions'),
    ('unreadable_row_count', 'row_count', 'unreadable_rows')
] %}
union all
select
    '{{ key }}' as key,
    {{ value }}::varchar as value,
    newest_load as updated_at
from {{ facts }}
{% endfor %}
