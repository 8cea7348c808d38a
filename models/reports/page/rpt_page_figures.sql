-- One row is a time range and a choice of every filter of the page in it.
with

executions as not materialized (
    {{ page_executions() }}
),

figures as (
    select
        time_range,
        repo_place,
        model_tier_place,
        pool_type_place,
        {{ execution_figures() }},
        {{ duration_percentiles() }} as durations,
        {{ success_cost_figures() }},
        {{ savings_figures() }}
    from executions
    group by time_range, {{ every_choice() }}
),

{{ rates_by_task(
    ['time_range', 'repo_place', 'model_tier_place', 'pool_type_place'],
    executions='executions', grouping='time_range, ' ~ every_choice()
) }}

select
    rates.time_range,
    {{ choice_columns('rates') }},
    {{ figure_columns('rates') }},
    rates.durations[1] as p50_duration,
    rates.durations[2] as p95_duration,
    rates.durations[3] as p99_duration,
    rates.cost_per_success,
    rates.cost_known_success_count,
    rates.avg_savings,
    rates.savings_known_count
from rates
