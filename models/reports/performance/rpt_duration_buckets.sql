-- One row is a time range and a duration bucket in it: fast, medium, slow or unknown.
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
),

figures as (
    select
        time_range,
        {{ duration_bucket() }} as duration_bucket,
        {{ execution_figures() }}
    from executions
    group by all
)

select
    figures.time_range,
    figures.duration_bucket,
    figures.total_executions
    / sum(figures.total_executions) over (partition by figures.time_range) as execution_share,
    {{ figure_columns('figures') }}
from figures
