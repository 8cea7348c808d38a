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

-- All executions' last 24 hours and a tier's, and the 30 days before them.
{{ past_and_recent(now, {'tier': 'model_tier'}, whole=true) }},

tiers as (
    select
        *,
        name as model_tier
    from drops
    where dimension = 'tier'
),

-- One row, where there are no executions, too.
all_tiers as (
    select
        {% for half in ['recent', 'past'] %}
        {% for column in ['count', 'successes', 'tasks'] %}
        coalesce(max({{ half }}_{{ column }}), 0) as {{ half }}_{{ column }},
        {% endfor %}
        {% endfor %}
        coalesce(max(assigned_time_count), 0) as assigned_time_count,
        max(least_drop) as least_drop
    from drops
    where dimension = 'all'
),

-- What DuckDB counts now: a sample of `orb maintain` is from its last run, or there is none.
database_file as (
    select size_bytes / 1e6 as size_mb
    from ({{ database_size() }})
)
{%- endmacro %}
