-- One row is a time range, with everything that was executed in it; none in it is a row, too.
with

{% for time_range, length in time_ranges().items() %}
figures_{{ time_range }} as (
    select
        '{{ time_range }}' as time_range,
        {{ execution_figures() }},
        {{ duration_percentiles() }} as durations,
        {{ savings_figures() }},
        {{ memory_figures() }}
    from {{ ref('fct_executions') }}
    where {{ started_within(length) }}
),
{% endfor %}

figures as (
    {% for time_range in time_ranges() %}
    select * from figures_{{ time_range }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    figures.time_range,
    {{ figure_columns('figures') }},
    figures.durations[1] as p50_duration,
    figures.durations[2] as p95_duration,
    figures.durations[3] as p99_duration,
    figures.avg_savings,
    figures.savings_known_count,
    figures.avg_memory_mb,
    figures.p95_memory_mb,
    figures.memory_known_count
from figures
