-- One row is a part of the feedback that ever came: live, archived, gone.
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

came as (
    select
        'came' as part,
        came_count as feedback_count
    from {{ ref('stg_feedback_counts') }}
),

balance as (
    select
        (select sum(feedback_count) from kept)
        = (select feedback_count from came) as is_complete
)

select
    parts.part,
    parts.feedback_count,
    balance.is_complete
from (
    from kept
    union all
    from came
) as parts
cross join balance
