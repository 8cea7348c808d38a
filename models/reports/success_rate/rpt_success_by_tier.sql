-- One row is a time range and a model tier used in it.
with

executions as not materialized (
    select * from {{ ref('int_executions_by_range') }}
),

figures as (
    select
        time_range,
        model_tier,
        {{ execution_figures() }}
    from executions
    group by time_range, model_tier
),

{{ rates_by_task(['time_range', 'model_tier']) }}

select
    rates.time_range,
    rates.model_tier,
    {{ figure_columns('rates') }}
from rates
