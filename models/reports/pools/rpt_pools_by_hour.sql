-- One row is a pool type and a UTC hour of the last 7 days in which it was used.
with

executions as not materialized (
    {{ in_window('hour', 7) }}
),

figures as (
    select
        pool_type,
        hour,
        count(*) as total_tasks,
        count(*) filter (success) as successful_tasks,
        avg(duration_seconds) as avg_duration,
        count(duration_seconds) as duration_known_count,
        sum(actual_cost) as total_cost,
        avg(actual_cost) as avg_cost,
        count(actual_cost) as cost_known_count
    from executions
    group by pool_type, hour
),

{{ rates_by_task(
    ['hour', 'pool_type'], executions='executions', successes='successful_tasks', trials='total_tasks'
) }}

select
    pool_type,
    hour,
    {{ is_complete('hour', 'hour') }} as is_complete,
    total_tasks,
    successful_tasks,
    {{ rate_over_tasks('success_rate', 'rates', 'successful_tasks', 'total_tasks') }},
    avg_duration,
    duration_known_count,
    total_cost,
    avg_cost,
    cost_known_count
from rates
