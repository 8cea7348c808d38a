-- One row is a time range and a model tier used in it.
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
),

figures as (
    select
        time_range,
        model_tier,
        {{ execution_figures() }}
    from executions
    group by time_range, model_tier
)

select
    figures.time_range,
    figures.model_tier,
    {{ figure_columns('figures') }}
from figures
