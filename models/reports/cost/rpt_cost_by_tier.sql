-- One row is a time range and a model tier used in it, with its cost and how well it was foreseen.
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
),

costs as (
    select
        time_range,
        model_tier,
        count(*) as total_executions,
        sum(actual_cost) as total_cost,
        avg(actual_cost) as avg_cost,
        count(actual_cost) as cost_known_count,
        {{ savings_figures() }},
        avg({{ cost_error_pct() }}) as avg_cost_error_pct,
        median({{ cost_error_pct() }}) as median_cost_error_pct,
        count({{ cost_error_pct() }}) as cost_error_known_count
    from executions
    group by time_range, model_tier
)

select
    time_range,
    model_tier,
    total_executions,
    total_cost,
    total_cost / nullif(sum(total_cost) over (partition by time_range), 0) as cost_share,
    avg_cost,
    cost_known_count,
    avg_savings,
    savings_known_count,
    avg_cost_error_pct,
    median_cost_error_pct,
    cost_error_known_count
from costs
