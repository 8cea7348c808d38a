-- One row is a time range and a pool type used in it, with its success rate.
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
),

outcomes as (
    select
        time_range,
        pool_type,
        count(*) as total_executions,
        count(*) filter (success) as successful_count
    from executions
    group by time_range, pool_type
)

select
    time_range,
    pool_type,
    total_executions,
    successful_count,
    {{ rate_columns('success_rate', 'successful_count', 'total_executions') }}
from outcomes
