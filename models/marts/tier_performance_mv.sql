-- One row is a repository, model tier, task type and UTC day of the last 30 days.
--
-- Taken as changed: the days whose set of executions is not that of the last build, and the days
-- that have left the window. Each is recomputed whole, so corrections and deletions are exact.
{{ config(
    incremental_strategy='replace_changed',
    unique_key='date',
    meta={'never_null': 'repo'},
    post_hook=[
        "{{ remember_build(execution_buckets('day', var('tier_window_days'))) }}",
        "{{ covering_index(['model_tier', 'repo', 'date'],
            ['total_executions', 'successful_count', 'avg_duration', 'avg_cost', 'avg_quality']) }}",
    ],
) }}

with

changed_days as (
    {{ changed_buckets(execution_buckets('day', var('tier_window_days')), 'date') }}
),

executions as (
    select
        *,
        {{ bucket_of('day') }} as date
    from {{ ref('fct_executions') }}
    where
        timestamp >= {{ window_start('day', var('tier_window_days')) }}
        and timestamp >= (select min(bucket) from changed_days)
),

tier_days as (
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
    where date in (select bucket from changed_days)
    group by repo, model_tier, task_type, date
)

select
    tier_days.repo,
    tier_days.model_tier,
    tier_days.task_type,
    changed_days.bucket as date,
    tier_days.total_executions,
    tier_days.successful_count,
    tier_days.avg_duration,
    tier_days.avg_cost,
    tier_days.avg_quality,
    tier_days.p95_duration,
    tier_days.duration_known_count,
    tier_days.cost_known_count,
    tier_days.quality_known_count
from changed_days
left join tier_days
    on changed_days.bucket = tier_days.date
order by tier_days.model_tier, tier_days.repo, changed_days.bucket
