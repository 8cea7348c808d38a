-- One row is a time range and a quality band in it: excellent, good, fair, poor or unknown.
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
),

bands as (
    select
        time_range,
        {{ quality_band() }} as quality_band,
        count(*) as total_executions,
        count(quality_score) as quality_known_count
    from executions
    group by all
),

totals as (
    select
        *,
        sum(quality_known_count) over (partition by time_range)::bigint as known_in_range
    from bands
)

select
    time_range,
    quality_band,
    total_executions,
    {{ known_share() }} as known_share,
    known_in_range
from totals
