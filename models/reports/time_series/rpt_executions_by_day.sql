-- One row is a UTC day of the last 90 days.
with

executions as (
    {{ in_window('day', 90) }}
),

buckets as (
    {{ buckets_of_window('day', 90) }}
),

figures as (
    select
        date,
        {{ execution_figures() }}
    from executions
    group by date
)

select
    buckets.date,
    {{ figure_columns('figures') }}
from buckets
left join figures
    on buckets.date = figures.date
