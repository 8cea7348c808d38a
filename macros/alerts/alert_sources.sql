{#- CTEs of what alerts are measured on. `now` is the moment, an SQL expression. -#}
{% macro alert_sources(now) -%}
last_hour as (
    select
        count(*) as total_executions,
        count(*) filter (success) as successful_count,
        sum(actual_cost) as total_cost,
        count(actual_cost) as cost_known_count,
        avg(duration_seconds) as avg_duration,
        count(duration_seconds) as duration_known_count
    from {{ ref('fct_executions') }}
    where timestamp between {{ now }} - interval 1 hour and {{ now }}
),

last_day as (
    select
        count(*) as total_executions,
        count(*) filter (success) as successful_count
    from {{ ref('fct_executions') }}
    where timestamp between {{ now }} - interval 24 hour and {{ now }}
),

everything as (
    select count(*) as total_executions
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
    select
        model_tier,
        count(*) filter (is_recent) as recent_count,
        count(*) filter (is_recent and success) as recent_successes,
        count(*) filter (not is_recent) as past_count,
        count(*) filter (not is_recent and success) as past_successes
    from (
        select
            model_tier,
            success,
            timestamp >= {{ now }} - interval 24 hour as is_recent
        from {{ ref('fct_executions') }}
        where timestamp between {{ now }} - interval 744 hour and {{ now }}
    )
    group by model_tier
),

-- What DuckDB counts now: a sample of `orb maintain` is from its last run, or there is none.
database_file as (
    select block_size * total_blocks / 1e6 as size_mb
    from pragma_database_size()
    where database_name = '{{ this.database }}'
)
{%- endmacro %}
