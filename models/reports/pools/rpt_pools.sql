-- One row is a time range and a pool type used in it, compared with the other pools.
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
),

figures as (
    select
        time_range,
        pool_type,
        {{ execution_figures() }},
        quantile_cont(duration_seconds::double, 0.95) as p95_duration,
        max(timestamp) as last_execution_at
    from executions
    group by time_range, pool_type
)

select
    figures.time_range,
    figures.pool_type,
    figures.total_executions
    / sum(figures.total_executions) over (partition by figures.time_range) as execution_share,
    {{ figure_columns('figures') }},
    figures.p95_duration,
    figures.last_execution_at
from figures
