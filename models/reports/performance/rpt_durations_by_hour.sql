-- One row is a UTC hour of the last 7 days, with the percentiles of duration.
with

executions as (
    {{ in_window('hour', 7) }}
),

buckets as (
    {{ buckets_of_window('hour', 7) }}
),

figures as (
    select
        hour,
        {{ duration_percentiles() }} as durations,
        count(duration_seconds) as duration_known_count
    from executions
    group by hour
)

select
    buckets.hour,
    figures.durations[1] as p50_duration,
    figures.durations[2] as p95_duration,
    figures.durations[3] as p99_duration,
    coalesce(figures.duration_known_count, 0) as duration_known_count
from buckets
left join figures
    on buckets.hour = figures.hour
