-- One row is a time range, a duration bucket and a choice of every filter of the page in it.
with

executions as (
    {{ page_executions() }}
),

usage as (
    select
        time_range,
        {{ duration_bucket() }} as duration_bucket,
        repo_place,
        model_tier_place,
        pool_type_place,
        count(*) as total_executions,
        {{ memory_figures() }},
        {{ cpu_figures() }}
    from executions
    group by time_range, {{ duration_bucket() }}, {{ every_choice() }}
)

select
    usage.time_range,
    usage.duration_bucket,
    {{ choice_columns('usage') }},
    usage.total_executions,
    usage.avg_memory_mb,
    usage.p95_memory_mb,
    usage.memory_known_count,
    usage.avg_cpu_seconds,
    usage.cpu_known_count
from usage
