-- One row is a part of the feedback ever received: live, archived, removed.
with

kept as (
    select
        'live' as part,
        count(*) as feedback_count
    from {{ ref('stg_feedback') }}
    union all
    select
        'archived' as part,
        coalesce(sum(feedback_count), 0)::bigint as feedback_count
    from {{ ref('stg_archived_feedback_files') }}
    where unarchived_at is null
    union all
    select
        'gone' as part,
        gone_count as feedback_count
    from {{ ref('stg_feedback_counts') }}
),

received as (
    select
        'came' as part,
        came_count as feedback_count
    from {{ ref('stg_feedback_counts') }}
),

balance as (
    select
        (select sum(feedback_count) from kept)
        = (select feedback_count from received) as is_complete
)

select
    parts.part,
    parts.feedback_count,
    balance.is_complete
from (
    from kept
    union all
    from received
) as parts
cross join balance
