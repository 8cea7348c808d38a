-- One row is a time range, a quality band and a choice of every filter of the page in it.
with

executions as (
    {{ page_executions() }}
),

bands as (
    select
        time_range,
        {{ quality_band() }} as quality_band,
        repo_place,
        model_tier_place,
        pool_type_place,
        count(*) as total_executions,
        count(quality_score) as quality_known_count
    from executions
    group by time_range, {{ quality_band() }}, {{ every_choice() }}
),

totals as (
    select
        *,
        sum(quality_known_count) over (
            partition by time_range, repo_place, model_tier_place, pool_type_place
        )::bigint as known_in_range
    from bands
)

select
    totals.time_range,
    totals.quality_band,
    {{ choice_columns('totals') }},
    totals.total_executions,
    {{ known_share() }} as known_share,
    totals.known_in_range
from totals
