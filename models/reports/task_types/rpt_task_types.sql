-- One row is a time range and a task type in it, by its rank.
with

figures as (
    select
        time_range,
        task_type,
        {{ execution_figures() }}
    from {{ ref('int_executions_by_range') }}
    group by time_range, task_type
),

{{ rates_by_task(['time_range', 'task_type']) }}

select
    rates.time_range,
    row_number() over (
        partition by rates.time_range
        order by rates.total_executions desc, rates.task_type asc
    ) as task_type_rank,
    rates.task_type,
    rates.total_executions
    / sum(rates.total_executions) over (partition by rates.time_range) as execution_share,
    {{ figure_columns('rates') }}
from rates
