-- One row is a UTC day of the last 30 days, with the percentiles of duration.
with

executions as (
    {{ in_window('day', 30) }}
),

buckets as (
    {{ buckets_of_window('day', 30) }}
),

figures as (
    select
        date,
        {{ duration_percentiles() }} as durations,
        count(duration_seconds) as duration_known_count
    from executions
    group by date
)

select
    buckets.date,
    figures.durations[1] as p50_duration,
    figures.durations[2] as p95_duration,
    figures.durations[3] as p99_duration,
    coalesce(figures.duration_known_count, 0) as duration_known_count
from buckets
left join figures
    on buckets.date = figures.date
