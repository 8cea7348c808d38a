-- One row is a time range and a model tier used in it, with how long it took and what it cost.
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
),

figures as (
    select
        time_range,
        model_tier,
        count(*) as total_executions,
        avg(duration_seconds) as avg_duration,
        {{ duration_percentiles() }} as durations,
        count(duration_seconds) as duration_known_count,
        sum(actual_cost) as total_cost,
        avg(actual_cost) as avg_cost,
        count(actual_cost) as cost_known_count
    from executions
    group by time_range, model_tier
)

select
    time_range,
    model_tier,
    total_executions,
    avg_duration,
    durations[1] as p50_duration,
    durations[2] as p95_duration,
    durations[3] as p99_duration,
    duration_known_count,
    total_cost,
    avg_cost,
    cost_known_count
from figures
