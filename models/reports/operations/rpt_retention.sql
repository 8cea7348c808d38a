-- One row is a part of the versions ever received: live ones by their age, archived, erased.
with

{{ aged_version_counts() }},

ages as (
    select
        unnest(
            ['live_0_7_days', 'live_7_30_days', 'live_30_90_days', 'live_over_90_days']
        ) as part,
        unnest([-36500, 7, 30, 90]) as over_days,
        unnest([7, 30, 90, 3650000]) as up_to_days
),

live_parts as (
    select
        ages.part,
        count(distinct aged_counts.task_day) as day_count,
        coalesce(sum(aged_counts.execution_count), 0)::bigint as execution_count,
        coalesce(sum(aged_counts.version_count), 0)::bigint as version_count,
        null::bigint as size_bytes
    from ages
    left join aged_counts
        on ages.over_days < aged_counts.age and ages.up_to_days >= aged_counts.age
    group by ages.part
),

other_parts as (
    select
        'archived' as part,
        count(distinct archived_day) as day_count,
        0 as execution_count,
        coalesce(sum(version_count), 0)::bigint as version_count,
        coalesce(sum(size_bytes), 0)::bigint as size_bytes
    from {{ ref('stg_archived_files') }}
    where unarchived_at is null
    union all
    select
        'forgotten' as part,
        null as day_count,
        0 as execution_count,
        coalesce(sum(version_count), 0)::bigint as version_count,
        null as size_bytes
    from {{ ref('stg_forgotten') }}
),

received as (
    select
        'came' as part,
        null as day_count,
        null as execution_count,
        coalesce(sum(version_count), 0)::bigint as version_count,
        null as size_bytes
    from {{ ref('stg_loaded_counts') }}
),

-- Live ones are counted in raw: the ages would count one that only fct_executions still has.
balance as (
    select
        (select count(*) from {{ ref('stg_version_times') }})
        + (select sum(version_count) from other_parts)
        = (select version_count from received) as is_complete
)

select
    parts.part,
    parts.day_count,
    parts.execution_count,
    parts.version_count,
    parts.size_bytes,
    balance.is_complete
from (
    from live_parts
    union all
    from other_parts
    union all
    from received
) as parts
cross join balance
