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
    case
        when user_id is null then md5(feedback_id::varchar)::uuid else feedback_id
    end as feedback_id,
    case when is_shared then task_id end as task_id,
    case when is_shared then submitted_at end as submitted_at,
    case when is_shared then satisfaction end as satisfaction,
    case when is_shared then issue_type end as issue_type,
    case when visibility = 'team' then comment end as comment,
    case when is_shared then visibility else 'private' end as visibility,
    case when visibility = 'team' then user_id end as user_id,
    is_valid,
    broken_rules,
    _load_seq,
    _loaded_at
from checked_feedback
