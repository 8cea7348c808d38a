-- One row is a UTC hour of the last 7 days.
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
        {{ execution_figures() }}
    from executions
    group by hour
)

select
    buckets.hour,
    {{ figure_columns('figures') }}
from buckets
left join figures
    on buckets.hour = figures.hour
