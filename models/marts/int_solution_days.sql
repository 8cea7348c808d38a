-- One row is a solution, repository, task type and UTC day of the last 90 days: the patterns' sums.
--
-- Taken as changed: the days whose set of executions is not that of the last build, and the days
-- that have left the window. (Telling which of them have a solution would read every solution.)
{{ config(
    incremental_strategy='replace_changed',
    unique_key='date',
    meta={'never_null': 'repo'},
    post_hook="{{ remember_build(execution_buckets('day', var('solution_window_days'))) }}",
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
        and timestamp >= {{ window_start('day', var('solution_window_days')) }}
        and timestamp >= (select min(bucket) from changed_days)
),

solution_days as (
    select
        date,
        solution_summary,
        repo,
        task_type,
        any_value(_solution_text_id) as _solution_text_id,
        count(*) as usage_count,
        count(*) filter (success) as success_count,
        sum(quality_score)::bigint as quality_sum,
        count(quality_score) as quality_known_count,
        min(timestamp) as first_seen,
        max(timestamp) as last_seen
    from solved_executions
    where date in (select bucket from changed_days)
    group by date, solution_summary, repo, task_type
)

select
    -- Patterns are grouped by this number, because grouping millions of rows by two texts is slow.
    md5_number(solution_days.solution_summary || chr(0) || solution_days.repo) as _pattern_id,
    changed_days.bucket as date,
    solution_days.solution_summary,
    solution_days.repo,
    solution_days.task_type,
    solution_days.usage_count,
    solution_days.success_count,
    solution_days.quality_sum,
    solution_days.quality_known_count,
    solution_days.first_seen,
    solution_days.last_seen,
    solution_days._solution_text_id
from changed_days
{{ 'left' if is_incremental() else 'inner' }} join solution_days
    on changed_days.bucket = solution_days.date
