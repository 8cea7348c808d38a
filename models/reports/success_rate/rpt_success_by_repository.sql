-- One row is a time range and a repository worked on in it, with its success rate.
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
),

outcomes as (
    select
        time_range,
        repo,
        count(*) as total_executions,
        count(*) filter (success) as successful_count
    from executions
    group by time_range, repo
)

select
    time_range,
    repo,
    total_executions,
    successful_count,
    {{ rate_columns('success_rate', 'successful_count', 'total_executions') }}
from outcomes
