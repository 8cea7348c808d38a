-- Live, archived and erased versions are all ever received, no more and no less.
with

kept as (
    select count(*) as version_count
    from {{ ref('stg_version_times') }}
    union all
    select sum(version_count) as version_count
    from {{ ref('stg_archived_files') }}
    where unarchived_at is null
    union all
    select sum(version_count) as version_count
    from {{ ref('stg_forgotten') }}
),

balance as (
    select
        (select sum(version_count) from kept) as kept_count,
        (select coalesce(sum(version_count), 0) from {{ ref('stg_loaded_counts') }}) as came_count
)

select *
from balance
where kept_count != came_count
