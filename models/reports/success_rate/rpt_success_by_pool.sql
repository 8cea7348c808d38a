-- One row is a time range and a pool type used in it, with its success rate.
with

outcomes as (
    select
        time_range,
        pool_type,
        count(*) as total_executions,
        count(*) filter (success) as successful_count
    from {{ ref('int_executions_by_range') }}
    group by time_range, pool_type
),

{{ rates_by_task(['time_range', 'pool_type'], figures='outcomes') }}

select
    time_range,
    pool_type,
    total_executions,
    successful_count,
    {{ rate_over_tasks('success_rate', 'rates', 'successful_count', 'total_executions') }}
from rates
