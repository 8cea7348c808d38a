-- One row is a failed execution, with the next attempt at its task and the first that succeeded.
--
-- Taken as changed: the failures of the days whose set of executions, or their tasks' clusters, are
-- not those of the last build, and of so many days before them as the window reaches: an attempt
-- belongs to a failure of its own day or of those.
--
-- The hooks keep DuckDB 2.0.0 from joining by nested loops: it takes the failures for fewer than
-- 64, and a million executions took minutes instead of 2 seconds (2026-11).
{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='date',
    on_schema_change='fail',
    meta={'never_null': 'task_id'},
    pre_hook="set asof_loop_join_threshold = 0",
    post_hook=[
        "{{ remember_build(attempt_buckets()) }}",
        "reset asof_loop_join_threshold",
    ],
) }}

{%- set hours = var('error_resolution_window_hours') %}

with

changed_days as (
    {{ changed_buckets(attempt_buckets(), 'date') }}
),

reach as (
    select unnest(range({{ (hours / 24) | round(0, 'ceil') | int + 1 }})) as days_before
),

affected_days as (
    select distinct changed_days.bucket - reach.days_before::integer as date
    from changed_days
    cross join reach
),

attempts as (
    select * from {{ ref('int_attempts') }}
    where
        timestamp >= (select min(date) from affected_days)
        and timestamp < (
            select max(date) + interval 1 day + interval {{ hours }} hour from affected_days
        )
),

failures as (
    select * from attempts
    where not success and date in (select date from affected_days)
),

numbered_attempts as (
    select
        *,
        row_number() over (
            partition by repo, _task_key
            order by timestamp, task_id
        ) as number
    from attempts
    semi join failures using (repo, _task_key)
),

-- Of several that began at once, one: the nearest in time has to be a single one.
next_attempts as (
    select * from numbered_attempts
    qualify row_number() over (partition by repo, _task_key, timestamp order by task_id) = 1
),

successes as (
    select * from numbered_attempts
    where success
    qualify row_number() over (partition by repo, _task_key, timestamp order by task_id) = 1
),

retries as (
    select
        failures.date,
        failures.task_id,
        failures.error_type,
        next_attempts.task_id as next_task_id,
        next_attempts.success as next_success,
        {{ change_between('failures', 'next_attempts') }} as next_change,
        successes.task_id as resolved_by_task_id,
        {{ change_between('failures', 'successes') }} as resolved_change,
        successes.number - next_attempts.number + 1 as attempts,
        next_attempts.timestamp <= failures.timestamp + interval {{ hours }} hour
            as is_next_in_time,
        successes.timestamp <= failures.timestamp + interval {{ hours }} hour
            as is_resolved_in_time
    from failures
    asof left join next_attempts
        on
            failures.repo = next_attempts.repo
            and failures._task_key = next_attempts._task_key
            and failures.ended_at <= next_attempts.timestamp
    asof left join successes
        on
            failures.repo = successes.repo
            and failures._task_key = successes._task_key
            and failures.ended_at <= successes.timestamp
)

select
    affected_days.date,
    retries.task_id,
    retries.error_type,
    case when retries.is_next_in_time then retries.next_task_id end as next_task_id,
    case when retries.is_next_in_time then retries.next_success end as next_success,
    case when retries.is_next_in_time then retries.next_change end as next_change,
    case when retries.is_resolved_in_time then retries.resolved_by_task_id end
        as resolved_by_task_id,
    case when retries.is_resolved_in_time then retries.resolved_change end as resolved_change,
    case when retries.is_resolved_in_time then retries.attempts end as attempts
from affected_days
{{ 'left' if is_incremental() else 'inner' }} join retries
    on affected_days.date = retries.date
order by affected_days.date
