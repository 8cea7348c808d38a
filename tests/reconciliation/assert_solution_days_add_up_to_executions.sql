-- In each day of the window, the mart's executions and successes are those of fct_executions.
with

executions as (
    select
        {{ bucket_of('day') }} as bucket,
        count(*) as execution_count,
        count(*) filter (success) as success_count
    from {{ ref('fct_executions') }}
    where
        timestamp >= {{ window_start('day', var('solution_window_days')) }}
        and {{ has_solution() }}
    group by bucket
),

mart as (
    select
        date as bucket,
        sum(usage_count) as execution_count,
        sum(success_count) as success_count
    from {{ ref('int_solution_days') }}
    where date >= {{ window_start('day', var('solution_window_days')) }}
    group by bucket
)

select
    bucket,
    executions.execution_count,
    mart.execution_count as mart_execution_count,
    executions.success_count,
    mart.success_count as mart_success_count
from executions
full join mart using (bucket)
where
    executions.execution_count is distinct from mart.execution_count
    or executions.success_count is distinct from mart.success_count
