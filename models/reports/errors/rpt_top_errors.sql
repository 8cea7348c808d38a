-- One row is a time range and an error type of the failed executions in it.
with

executions as (
    {{ in_time_ranges() }}
),

outcomes as (
    select
        time_range,
        if(success, null, coalesce(error_type, 'unknown')) as error_type,
        count(*) as error_count,
        count(distinct repo) filter (not success) as repo_count,
        max(timestamp) as last_error_at,
        arg_max(task_id, timestamp) filter (not success) as last_task_id
    from executions
    group by all
),

totals as (
    select
        *,
        sum(error_count) over (partition by time_range)::bigint as total_executions
    from outcomes
)

select
    time_range,
    row_number() over (
        partition by time_range order by error_count desc, error_type asc
    ) as error_rank,
    error_type,
    error_count,
    error_count / sum(error_count) over (partition by time_range) as failure_share,
    total_executions,
    {{ rate_columns('error_rate', 'error_count', 'total_executions') }},
    repo_count,
    last_error_at,
    last_task_id
from totals
where error_type is not null
