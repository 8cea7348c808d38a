-- One row is a time range and a pool type used in it, compared with the other pools.
with

figures as (
    select
        time_range,
        pool_type,
        {{ execution_figures() }},
        quantile_cont(duration_seconds::double, 0.95) as p95_duration,
        max(timestamp) as last_execution_at
    from {{ ref('int_executions_by_range') }}
    group by time_range, pool_type
),

{{ rates_by_task(['time_range', 'pool_type']) }}

select
    rates.time_range,
    rates.pool_type,
    rates.total_executions
    / sum(rates.total_executions) over (partition by rates.time_range) as execution_share,
    {{ figure_columns('rates') }},
    rates.p95_duration,
    rates.last_execution_at
from rates
