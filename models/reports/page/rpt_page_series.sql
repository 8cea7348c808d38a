-- One row is a time range, a bucket of it and a choice of every filter of the page in it.
with

executions as (
    {{ page_executions() }}
),

figures as (
    select
        time_range,
        {{ bucket_of_range() }} as bucket_start,
        repo_place,
        model_tier_place,
        pool_type_place,
        {{ execution_figures() }},
        {{ duration_percentiles() }} as durations
    from executions
    group by time_range, bucket_start, {{ every_choice() }}
)

select
    figures.time_range,
    figures.bucket_start,
    {{ choice_columns('figures') }},
    {{ figure_columns('figures') }},
    figures.durations[1] as p50_duration,
    figures.durations[2] as p95_duration,
    figures.durations[3] as p99_duration
from figures
