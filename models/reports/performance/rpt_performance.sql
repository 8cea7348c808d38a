-- One row is a time range, with everything that was executed in it; none in it is a row, too.
with

ranges as (
    select unnest({{ time_ranges().keys() | list }}) as time_range
),

figures as (
    select
        time_range,
        {{ execution_figures() }},
        {{ duration_percentiles() }} as durations,
        {{ savings_figures() }},
        {{ memory_figures() }},
        {{ assigned_times() }} as assigned_time_count
    from {{ ref('int_executions_by_range') }}
    group by time_range
),

{{ rates_by_task(['time_range']) }}

select
    ranges.time_range,
    {{ figure_columns('rates') }},
    rates.durations[1] as p50_duration,
    rates.durations[2] as p95_duration,
    rates.durations[3] as p99_duration,
    rates.avg_savings,
    coalesce(rates.savings_known_count, 0) as savings_known_count,
    rates.avg_memory_mb,
    rates.p95_memory_mb,
    coalesce(rates.memory_known_count, 0) as memory_known_count,
    coalesce(rates.assigned_time_count, 0) as assigned_time_count
from ranges
left join rates
    on ranges.time_range = rates.time_range
