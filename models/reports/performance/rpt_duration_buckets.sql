-- One row is a time range and a duration bucket in it: fast, medium, slow or unknown.
with

figures as (
    select
        time_range,
        {{ duration_bucket() }} as duration_bucket,
        {{ execution_figures() }}
    from {{ ref('int_executions_by_range') }}
    group by all
),

{{ rates_by_task({'time_range': 'time_range', 'duration_bucket': duration_bucket()}) }}

select
    rates.time_range,
    rates.duration_bucket,
    rates.total_executions
    / sum(rates.total_executions) over (partition by rates.time_range) as execution_share,
    {{ figure_columns('rates') }}
from rates
