-- One row is a time range, a task type and a model tier used for it: a cell of a heat map.
with

figures as (
    select
        time_range,
        task_type,
        model_tier,
        {{ execution_figures() }}
    from {{ ref('int_executions_by_range') }}
    group by time_range, task_type, model_tier
),

{{ rates_by_task(['time_range', 'task_type', 'model_tier']) }}

select
    rates.time_range,
    rates.task_type,
    rates.model_tier,
    {{ figure_columns('rates') }}
from rates
