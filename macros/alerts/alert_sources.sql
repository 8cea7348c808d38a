{#- CTEs of what alerts are measured on. `now` is the moment, an SQL expression. -#}
{% macro alert_sources(now) -%}
last_hour as (
    select
        {{ alert_sums() }}
    from {{ ref('fct_executions') }}
    where timestamp between {{ now }} - interval 1 hour and {{ now }}
),

last_day as (
    select
        {{ alert_sums() }}
    from {{ ref('fct_executions') }}
    where timestamp between {{ now }} - interval 24 hour and {{ now }}
),

everything as (
    select
        count(*) as total_executions,
        {{ assigned_times() }} as assigned_time_count
    from {{ ref('fct_executions') }}
    where timestamp <= {{ now }}
),

-- Of what was loaded, whether or not it was built since. Only a start is a sign of life: a load of
-- what has no time that can be right is none.
loaded as (
    select
        count(*) as version_count,
        max(started_at) as newest
    from {{ ref('stg_version_times') }}
    where started_at <= {{ now }}
),

-- A tier's last 24 hours, and the 30 days before them.
tiers as (
    {{ past_and_recent(now, 'model_tier', 'model_tier') }}
),

all_tiers as (
    select
        coalesce(sum(recent_count), 0)::bigint as recent_count,
        coalesce(sum(assigned_time_count), 0)::bigint as assigned_time_count,
        coalesce(sum(recent_successes), 0)::bigint as recent_successes,
        coalesce(sum(past_count), 0)::bigint as past_count,
        coalesce(sum(past_successes), 0)::bigint as past_successes
    from tiers
),

-- What DuckDB counts now: a sample of `orb maintain` is from its last run, or there is none.
database_file as (
    select block_size * total_blocks / 1e6 as size_mb
    from pragma_database_size()
    where database_name = '{{ this.database }}'
)
{%- endmacro %}
