-- One row is a time range and a task type in it, by its rank.
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
),

figures as (
    select
        time_range,
        task_type,
        {{ execution_figures() }}
    from executions
    group by time_range, task_type
)

select
    figures.time_range,
    row_number() over (
        partition by figures.time_range
        order by figures.total_executions desc, figures.task_type asc
    ) as task_type_rank,
    figures.task_type,
    figures.total_executions
    / sum(figures.total_executions) over (partition by figures.time_range) as execution_share,
    {{ figure_columns('figures') }}
from figures
