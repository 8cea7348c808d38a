-- One row is a task with the rating that its latest team or public feedback until now gives it.
--
-- A view: what was loaded counts at once, and nothing stays behind of what was deleted.
{{ config(materialized='view') }}

with

latest_feedback as (
    select
        task_id,
        arg_max(satisfaction, (submitted_at, _load_seq)) as satisfaction
    from {{ ref('stg_feedback') }}
    where
        is_valid
        and visibility in ('team', 'public')
        and submitted_at <= {{ utc_now() }}
    group by task_id
),

ratings as (
    select
        task_id,
        {{ rating_of('satisfaction') }} as user_rating
    from latest_feedback
)

select
    task_id,
    user_rating,
    user_rating >= {{ var('accepted_from_rating') }} as user_accepted
from ratings
