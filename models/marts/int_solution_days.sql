-- One row is a solution, repository, task type and UTC day of the last 90 days: the patterns' sums.
--
-- Taken as changed: the days whose set of executions is not that of the last build, and the days
-- that have left the window. (Telling which of them have a solution would read every solution.)
{{ config(
    incremental_strategy='append',
    pre_hook="{{ delete_changed_buckets('date', execution_buckets('day', var('solution_window_days')), 'date') }}",
    post_hook="{{ record_build_state(execution_buckets('day', var('solution_window_days'))) }}",
) }}

with

changed_days as (
    {{ changed_buckets(execution_buckets('day', var('solution_window_days')), 'date') }}
),

solved_executions as (
    select
        *,
        {{ bucket_of('day') }} as date
    from {{ ref('fct_executions') }}
    where
        {{ has_solution() }}
        and {{ within_window('day', var('solution_window_days')) }}
        and timestamp >= (select min(bucket) from changed_days)
),

tasks as (
    {{ solved_tasks('solved_executions', 'changed_days') }}
),

solution_days as (
    select
        date,
        solution_summary,
        repo,
        task_type,
        any_value(_solution_text_id) as _solution_text_id,
        sum(usage_count)::bigint as usage_count,
        sum(success_count)::bigint as success_count,
        sum(quality_sum)::bigint as quality_sum,
        sum(quality_known_count)::bigint as quality_known_count,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen,
        list(
            { 'task': _task_text_id, 'trials': usage_count, 'successes': success_count }
            order by _task_text_id
        ) as _tasks
    from tasks
    group by date, solution_summary, repo, task_type
)

select
    -- Patterns are grouped by this number, because grouping millions of rows by two texts is slow.
    -- 64 bits, as of texts: in a lake's files, 128 are rounded.
    ('0x' || left(md5(solution_summary || chr(0) || repo), 16))::ubigint as _pattern_id,
    date,
    solution_summary,
    repo,
    task_type,
    usage_count,
    success_count,
    quality_sum,
    quality_known_count,
    first_seen,
    last_seen,
    _solution_text_id,
    _tasks
from solution_days
