-- One row is a time range and an error type of the failed executions in it.
with

executions as not materialized (
    select * from {{ ref('int_executions_by_range') }}
),

totals as (
    select
        time_range,
        count(*) as total_executions
    from executions
    group by time_range
),

failures as (
    select
        time_range,
        coalesce(error_type, 'unknown') as error_type,
        count(*) as error_count,
        count(distinct repo) as repo_count,
        max(timestamp) as last_error_at,
        arg_max(task_id, timestamp) as last_task_id
    from executions
    where not success
    group by all
)

select
    failures.time_range,
    row_number() over (
        partition by failures.time_range
        order by failures.error_count desc, failures.error_type asc
    ) as error_rank,
    failures.error_type,
    failures.error_count,
    failures.error_count
    / sum(failures.error_count) over (partition by failures.time_range) as failure_share,
    totals.total_executions,
    {{ rate_columns('error_rate', 'failures.error_count', 'totals.total_executions') }},
    failures.repo_count,
    failures.last_error_at,
    failures.last_task_id
from failures
inner join totals
    on failures.time_range = totals.time_range
