-- One row is a repository, model tier, task type and UTC day of the last 30 days.
--
-- Taken as changed: the days whose set of executions is not that of the last build, and the days
-- that have left the window. Each is deleted and computed whole, so corrections are exact, too.
{{ config(
    incremental_strategy='append',
    pre_hook="{{ delete_changed_buckets('date', execution_buckets('day', var('tier_window_days')), 'date') }}",
    post_hook=[
        "{{ record_build_state(execution_buckets('day', var('tier_window_days'))) }}",
        "{{ covering_index(['model_tier', 'repo', 'date'],
            ['total_executions', 'successful_count', 'avg_duration', 'avg_cost', 'avg_quality']) }}",
    ],
) }}

with

changed_days as (
    {{ changed_buckets(execution_buckets('day', var('tier_window_days')), 'date') }}
),

executions as not materialized (
    select
        *,
        {{ bucket_of('day') }} as date
    from {{ ref('fct_executions') }}
    where
        {{ within_window('day', var('tier_window_days')) }}
        and timestamp >= (select min(bucket) from changed_days)
        and date in (select bucket from changed_days)
),

figures as (
    select
        repo,
        model_tier,
        task_type,
        date,
        count(*) as total_executions,
        count(*) filter (success) as successful_count,
        avg(duration_seconds) as avg_duration,
        avg(actual_cost) as avg_cost,
        avg(quality_score) as avg_quality,
        quantile_cont(duration_seconds::double, 0.95) as p95_duration,
        count(duration_seconds) as duration_known_count,
        count(actual_cost) as cost_known_count,
        count(quality_score) as quality_known_count
    from executions
    group by repo, model_tier, task_type, date
),

{{ rates_by_task(
    ['date', 'repo', 'model_tier', 'task_type'], executions='executions', every_task=true
) }}

select
    repo,
    model_tier,
    task_type,
    date,
    total_executions,
    successful_count,
    avg_duration,
    avg_cost,
    avg_quality,
    p95_duration,
    duration_known_count,
    cost_known_count,
    quality_known_count,
    task_count,
    _rate_variance,
    _rate_t
from rates
order by model_tier, repo, date
