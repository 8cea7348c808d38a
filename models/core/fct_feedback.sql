-- One row is valid feedback that the team or the public may see, with its execution's tier.
--
-- A view: what was loaded counts at once, and nothing stays behind of what was deleted. Public
-- feedback has no task here: its task is no more than what its rating reaches its execution by. Nor
-- has it a moment or a number, by which it would be found in stg_feedback, or beside its execution.
{{ config(materialized='view') }}

with

feedback as (
    select
        *,
        visibility = 'public' as is_public,
        {{ rating_of('satisfaction') }} as user_rating
    from {{ ref('stg_feedback') }}
    where is_valid and visibility in ('team', 'public')
),

executions as (
    select
        task_id,
        task_type,
        model_tier
    from {{ ref('fct_executions') }}
)

select
    feedback.feedback_id,
    case when feedback.visibility = 'team' then feedback.task_id end as task_id,
    executions.task_id is not null as has_execution,
    executions.task_type,
    executions.model_tier,
    case
        when is_public then date_trunc('day', feedback.submitted_at)
        else feedback.submitted_at
    end as submitted_at,
    feedback.satisfaction,
    feedback.user_rating,
    feedback.user_rating >= {{ var('accepted_from_rating') }} as user_accepted,
    feedback.issue_type,
    feedback.comment,
    feedback.visibility,
    feedback.user_id,
    case when is_public then null else feedback._load_seq end as _load_seq,
    case
        when is_public then date_trunc('day', feedback._loaded_at)
        else feedback._loaded_at
    end as _loaded_at
from feedback
left join executions
    on feedback.task_id = executions.task_id
