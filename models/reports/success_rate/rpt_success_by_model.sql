-- One row is a time range and a model that did something in it, as metadata.model names it.
with

figures as (
    select
        time_range,
        _model,
        list_sort(list(distinct model_tier)) as model_tiers,
        {{ execution_figures() }}
    from {{ ref('int_executions_by_range') }}
    group by time_range, _model
),

{{ rates_by_task(['time_range', '_model']) }}

select
    rates.time_range,
    coalesce(rates._model, 'unknown') as model,
    rates.model_tiers,
    {{ figure_columns('rates') }}
from rates
