-- One row is a pool type and a UTC hour of the last 7 days in which it was used.
with

pool_hours as (
    select
        pool_type,
        hour,
        sum(total_tasks)::bigint as total_tasks,
        sum(successful_tasks)::bigint as successful_tasks,
        sum(avg_duration * duration_known_count) as total_duration,
        sum(duration_known_count)::bigint as duration_known_count,
        sum(avg_cost * cost_known_count) as total_cost,
        sum(cost_known_count)::bigint as cost_known_count
    from {{ ref('pool_performance_mv') }}
    group by pool_type, hour
)

select
    pool_type,
    hour,
    {{ is_complete('hour', 'hour') }} as is_complete,
    total_tasks,
    successful_tasks,
    {{ rate_columns('success_rate', 'successful_tasks', 'total_tasks') }},
    total_duration / nullif(duration_known_count, 0) as avg_duration,
    duration_known_count,
    total_cost,
    total_cost / nullif(cost_known_count, 0) as avg_cost,
    cost_known_count
from pool_hours
