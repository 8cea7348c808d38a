-- One row is a pool type, repository and UTC hour of the last 7 days.
--
-- Taken as changed: the hours whose set of executions is not that of the last build, and the hours
-- that have left the window. Each is deleted and computed whole, so corrections are exact, too.
{{ config(
    incremental_strategy='append',
    pre_hook="{{ delete_changed_buckets('hour', execution_buckets('hour', var('pool_window_days')), 'timestamp') }}",
    post_hook=[
        "{{ record_build_state(execution_buckets('hour', var('pool_window_days'))) }}",
        "{{ covering_index(['pool_type', 'repo', 'hour'],
            ['total_tasks', 'successful_tasks', 'avg_duration', 'avg_cost', 'success_rate']) }}",
    ],
) }}

with

changed_hours as (
    {{ changed_buckets(execution_buckets('hour', var('pool_window_days')), 'timestamp') }}
),

executions as not materialized (
    select
        *,
        {{ bucket_of('hour') }} as hour
    from {{ ref('fct_executions') }}
    where
        {{ within_window('hour', var('pool_window_days')) }}
        and timestamp >= (select min(bucket) from changed_hours)
        and hour in (select bucket from changed_hours)
),

figures as (
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
    group by pool_type, repo, hour
),

{{ rates_by_task(
    ['hour', 'pool_type', 'repo'],
    executions='executions', successes='successful_tasks', trials='total_tasks', every_task=true
) }}

select
    pool_type,
    repo,
    hour,
    total_tasks,
    successful_tasks,
    avg_duration,
    avg_cost,
    success_rate,
    duration_known_count,
    cost_known_count,
    task_count,
    _rate_variance,
    _rate_t
from rates
order by pool_type, repo, hour
