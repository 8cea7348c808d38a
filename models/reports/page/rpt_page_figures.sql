-- One row is a time range and a choice of every filter of the page in it.
with

executions as (
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
)

select
    figures.time_range,
    {{ choice_columns('figures') }},
    {{ figure_columns('figures') }},
    figures.durations[1] as p50_duration,
    figures.durations[2] as p95_duration,
    figures.durations[3] as p99_duration,
    figures.cost_per_success,
    figures.cost_known_success_count,
    figures.avg_savings,
    figures.savings_known_count
from figures
