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
    if(feedback.visibility = 'team', feedback.task_id, null) as task_id,
    executions.task_id is not null as has_execution,
    executions.task_type,
    executions.model_tier,
    if(is_public, date_trunc('day', feedback.submitted_at), feedback.submitted_at) as submitted_at,
    feedback.satisfaction,
    feedback.user_rating,
    feedback.user_rating >= {{ var('accepted_from_rating') }} as user_accepted,
    feedback.issue_type,
    feedback.comment,
    feedback.visibility,
    feedback.user_id,
    if(is_public, null, feedback._load_seq) as _load_seq,
    if(is_public, date_trunc('day', feedback._loaded_at), feedback._loaded_at) as _loaded_at
from feedback
left join executions
    on feedback.task_id = executions.task_id
