-- Live, archived and removed feedback is all ever received, no more and no less.
with

kept as (
    select count(*) as feedback_count
    from {{ source('raw', 'feedback') }}
    union all
    select sum(feedback_count) as feedback_count
    from {{ ref('stg_archived_feedback_files') }}
    where unarchived_at is null
    union all
    select gone_count as feedback_count
    from {{ ref('stg_feedback_counts') }}
),

balance as (
    select
        (select sum(feedback_count) from kept) as kept_count,
        (select came_count from {{ ref('stg_feedback_counts') }}) as came_count
)

select *
from balance
where kept_count is distinct from came_count
