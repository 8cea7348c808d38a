-- One row is a pool type, repository and UTC hour of the last 7 days.
--
-- Taken as changed: the hours whose set of executions is not that of the last build, and the hours
-- that have left the window. Each is recomputed whole, so corrections and deletions are exact.
{{ config(
    incremental_strategy='replace_changed',
    unique_key='hour',
    meta={'never_null': 'repo'},
    post_hook=[
        "{{ remember_build(execution_buckets('hour', var('pool_window_days'))) }}",
        "{{ covering_index(['pool_type', 'repo', 'hour'],
            ['total_tasks', 'successful_tasks', 'avg_duration', 'avg_cost', 'success_rate']) }}",
    ],
) }}

with

changed_hours as (
    {{ changed_buckets(execution_buckets('hour', var('pool_window_days')), 'timestamp') }}
),

executions as (
    select
        *,
        {{ bucket_of('hour') }} as hour
    from {{ ref('fct_executions') }}
    where
        timestamp >= {{ window_start('hour', var('pool_window_days')) }}
        and timestamp >= (select min(bucket) from changed_hours)
),

pool_hours as (
    select
        pool_type,
        repo,
        hour,
        count(*) as total_tasks,
        count(*) filter (success) as successful_tasks,
        avg(duration_seconds) as avg_duration,
        avg(actual_cost) as avg_cost,
        count(*) filter (success) / count(*) as success_rate,
        count(duration_seconds) as duration_known_count,
        count(actual_cost) as cost_known_count
    from executions
    where hour in (select bucket from changed_hours)
    group by pool_type, repo, hour
)

select
    pool_hours.pool_type,
    pool_hours.repo,
    changed_hours.bucket as hour,
    pool_hours.total_tasks,
    pool_hours.successful_tasks,
    pool_hours.avg_duration,
    pool_hours.avg_cost,
    pool_hours.success_rate,
    pool_hours.duration_known_count,
    pool_hours.cost_known_count
from changed_hours
left join pool_hours
    on changed_hours.bucket = pool_hours.hour
order by pool_hours.pool_type, pool_hours.repo, changed_hours.bucket
