-- One row is a failed execution, with the next attempt at its task and the first that succeeded.
--
-- Taken as changed: the failures of the days whose executions that have started by now, or their
-- tasks' clusters, are not those of the last build, and of the days before that the window reaches.
--
-- The hooks keep DuckDB 2.0.0 from joining by nested loops: it takes the failures for fewer than
-- 64, and a million executions took minutes instead of 2 seconds (2026-11).
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=["set asof_loop_join_threshold = 0", "{{ delete_affected_retries() }}"],
    post_hook=[
        "{{ record_build_state(attempt_buckets()) }}",
        "reset asof_loop_join_threshold",
    ],
) }}

with

affected_days as (
    {{ days_of_affected_retries() }}
),

attempts as (
    select * from {{ ref('int_attempts') }}
    where
        timestamp >= (select min(date) from affected_days)
        and timestamp < (
            select max(date) + interval 1 day + {{ retry_window() }} from affected_days
        )
        and timestamp <= {{ utc_now() }}
),

failures as (
    select * from attempts
    where not success and date in (select date from affected_days)
),

numbered_attempts as (
    select
        *,
        row_number() over (partition by repo, _task_key order by timestamp, task_id) as number
    from attempts
    semi join failures using (repo, _task_key)
),

next_attempts as (
    {{ first_of_a_moment('numbered_attempts') }}
),

successes as (
    {{ first_of_a_moment('numbered_attempts', 'success') }}
)

select
    failures.date,
    failures.task_id,
    failures.error_type,
    failures._task_key,
    {{ if_in_time('next_attempts', 'next_attempts.task_id') }} as next_task_id,
    {{ if_in_time('next_attempts', 'next_attempts.success') }} as next_success,
    {{ if_in_time('next_attempts', change_to('next_attempts')) }} as next_change,
    {{ if_in_time('successes', 'successes.task_id') }} as resolved_by_task_id,
    {{ if_in_time('successes', change_to('successes')) }} as resolved_change,
    {{ if_in_time('successes', 'successes.number - next_attempts.number + 1') }} as attempts
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
order by failures.date
