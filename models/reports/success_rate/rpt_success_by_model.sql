-- One row is a time range and a model that did something in it, as metadata.model names it.
with

executions as not materialized (
    select
        *,
        coalesce(_model, 'unknown') as model
    from {{ ref('int_executions_by_range') }}
),

figures as (
    select
        time_range,
        model,
        list_sort(list(distinct model_tier)) as model_tiers,
        {{ execution_figures() }}
    from executions
    group by time_range, model
),

{{ rates_by_task(['time_range', 'model']) }}

select
    rates.time_range,
    rates.model,
    rates.model_tiers,
    {{ figure_columns('rates') }}
from rates
