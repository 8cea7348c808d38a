-- One row is a time range and a model tier used in it.
with

executions as (
    {{ in_time_ranges() }}
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
