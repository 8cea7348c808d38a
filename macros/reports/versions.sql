{#- CTEs up to `aged_counts`: executions and versions of each task's day, with its age. -#}
{% macro aged_version_counts() -%}
-- Superseded and rejected ones, and what was received after the last build.
other_versions as (
    select *
    from {{ ref('stg_version_times') }}
    where _load_seq not in (select _load_seq from {{ ref('fct_executions') }})
),

-- They are of their task's day: that of the valid version, else of the newest.
dated_other_versions as (
    select
        coalesce(
            standing.timestamp,
            max_by(versions.version_time, versions._load_seq) over (partition by versions.task_id)
        )::date as task_day
    from other_versions as versions
    left join {{ ref('fct_executions') }} as standing
        on versions.task_id = standing.task_id
),

counts as (
    select
        timestamp::date as task_day,
        count(*) as execution_count,
        count(*) as version_count
    from {{ ref('fct_executions') }}
    group by task_day
    union all
    select
        task_day,
        0 as execution_count,
        count(*) as version_count
    from dated_other_versions
    group by task_day
),

aged_counts as (
    select
        *,
        date_diff('day', task_day, {{ utc_now() }}::date) as age
    from counts
)
{%- endmacro %}
