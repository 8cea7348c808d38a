-- One row is a person's feedback as it came, as far as others may see it, with the rules it breaks.
--
-- Of private feedback only that it is there: all of main can be queried by everybody. Its author
-- reads it from raw. Of public feedback neither who gave it nor a comment is ever kept; should one
-- come all the same, it breaks a rule, and is not shown.
with

feedback as (
    select * from {{ source('raw', 'feedback') }}
),

checked_feedback as (
    select
        *,
        coalesce(visibility in ('team', 'public'), false) as is_shared,
        {{ holds_every_rule('reject', 'feedback_rules') }} as is_valid,
        {{ broken_rules('reject', 'feedback_rules') }} as broken_rules
    from feedback
)

select
    -- Whoever knows the id of feedback without a name can delete it, so it is not shown.
    if(user_id is null, md5(feedback_id::varchar)::uuid, feedback_id) as feedback_id,
    if(is_shared, task_id, null) as task_id,
    if(is_shared, submitted_at, null) as submitted_at,
    if(is_shared, satisfaction, null) as satisfaction,
    if(is_shared, issue_type, null) as issue_type,
    if(visibility = 'team', comment, null) as comment,
    if(is_shared, visibility, 'private') as visibility,
    if(visibility = 'team', user_id, null) as user_id,
    is_valid,
    broken_rules,
    _load_seq,
    _loaded_at
from checked_feedback
