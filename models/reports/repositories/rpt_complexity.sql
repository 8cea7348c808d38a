-- One row is a time range and a band of complexity in it: 20 points each, or unknown.
with

figures as (
    select
        time_range,
        {{ complexity_band() }} as complexity_band,
        {{ execution_figures() }}
    from {{ ref('int_executions_by_range') }}
    group by all
),

{{ rates_by_task({'time_range': 'time_range', 'complexity_band': complexity_band()}) }}

select
    rates.time_range,
    rates.complexity_band,
    rates.total_executions
    / sum(rates.total_executions) over (partition by rates.time_range) as execution_share,
    {{ figure_columns('rates') }}
from rates
