-- One row is a time range, a model tier and a task type in it, with what a success costs.
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
),

sums as (
    select
        time_range,
        model_tier,
        task_type,
        count(*) as total_executions,
        {{ success_cost_figures() }},
        count(actual_cost) as cost_known_count,
        sum(quality_score) filter (actual_cost is not null) as priced_quality,
        sum(actual_cost) filter (quality_score is not null) as rated_cost,
        count(quality_score) filter (actual_cost is not null) as quality_and_cost_known_count,
        sum(duration_seconds) as total_duration,
        count(duration_seconds) as duration_known_count,
        count(duration_seconds) filter (success) as duration_known_success_count
    from executions
    group by time_range, model_tier, task_type
)

select
    time_range,
    model_tier,
    task_type,
    total_executions,
    cost_per_success,
    cost_known_count,
    cost_known_success_count,
    total_duration / nullif(duration_known_success_count, 0) as seconds_per_success,
    duration_known_count,
    duration_known_success_count,
    priced_quality / nullif(rated_cost, 0) as quality_per_dollar,
    quality_and_cost_known_count
from sums
