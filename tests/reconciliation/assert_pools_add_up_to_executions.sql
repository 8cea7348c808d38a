-- In each hour of the window, the mart's executions and successes are those of fct_executions.
with

executions as (
    select
        {{ bucket_of('hour') }} as bucket,
        count(*) as execution_count,
        count(*) filter (success) as success_count
    from {{ ref('fct_executions') }}
    where timestamp >= {{ window_start('hour', var('pool_window_days')) }}
    group by bucket
),

mart as (
    select
        hour as bucket,
        sum(total_tasks) as execution_count,
        sum(successful_tasks) as success_count
    from {{ ref('pool_performance_mv') }}
    where hour >= {{ window_start('hour', var('pool_window_days')) }}
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
