-- One row is a time range, with everything that was executed in it; none in it is a row, too.
with

{% for time_range, length in time_ranges().items() %}
figures_{{ time_range }} as (
    select
        '{{ time_range }}' as time_range,
        {{ execution_figures() }},
        {{ duration_percentiles() }} as durations,
        {{ savings_figures() }},
        {{ memory_figures() }},
        {{ assigned_times() }} as assigned_time_count
    from {{ ref('fct_executions') }}
    where {{ started_within(length) }}
),
{% endfor %}

figures as (
    {% for time_range in time_ranges() %}
    select * from figures_{{ time_range }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

{{ rates_by_task(['time_range']) }}

select
    rates.time_range,
    {{ figure_columns('rates') }},
    rates.durations[1] as p50_duration,
    rates.durations[2] as p95_duration,
    rates.durations[3] as p99_duration,
    rates.avg_savings,
    rates.savings_known_count,
    rates.avg_memory_mb,
    rates.p95_memory_mb,
    rates.memory_known_count,
    rates.assigned_time_count
from rates
