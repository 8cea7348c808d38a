-- One row is valid feedback that the team or the public may see, with its execution's tier.
--
-- A view: what was loaded counts at once, and nothing stays behind of what was deleted. Public
-- feedback has no task here: its task is no more than what its rating reaches its execution by.
{{ config(materialized='view') }}

with

feedback as (
    select
        *,
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
    feedback.submitted_at,
    feedback.satisfaction,
    feedback.user_rating,
    feedback.user_rating >= {{ var('accepted_from_rating') }} as user_accepted,
    feedback.issue_type,
    feedback.comment,
    feedback.visibility,
    feedback.user_id,
    feedback._load_seq,
    feedback._loaded_at
from feedback
left join executions
    on feedback.task_id = executions.task_id
