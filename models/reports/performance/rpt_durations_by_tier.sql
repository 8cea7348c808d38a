-- One row is a time range and a model tier used in it, with the percentiles of duration.
with

executions as (
    {{ in_time_ranges() }}
),

figures as (
    select
        time_range,
        model_tier,
        avg(duration_seconds) as avg_duration,
        {{ duration_percentiles() }} as durations,
        count(duration_seconds) as duration_known_count
    from executions
    group by time_range, model_tier
)

select
    time_range,
    model_tier,
    avg_duration,
    durations[1] as p50_duration,
    durations[2] as p95_duration,
    durations[3] as p99_duration,
    duration_known_count
from figures
