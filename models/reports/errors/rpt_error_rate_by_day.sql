-- One row is a UTC day of the last 90 days, with its failed executions.
with

executions as (
    {{ in_window('day', 90) }}
),

buckets as (
    {{ buckets_of_window('day', 90) }}
),

outcomes as (
    select
        date,
        count(*) as total_executions,
        count(*) filter (not success) as failed_count,
        count(*) filter (not success and error_type = 'timeout') as timeout_count
    from executions
    group by date
)

select
    buckets.date,
    coalesce(outcomes.total_executions, 0) as total_executions,
    coalesce(outcomes.failed_count, 0) as failed_count,
    coalesce(outcomes.timeout_count, 0) as timeout_count,
    {{ rate_columns('error_rate', 'outcomes.failed_count', 'outcomes.total_executions') }}
from buckets
left join outcomes
    on buckets.date = outcomes.date
