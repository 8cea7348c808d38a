-- One row is a task that was run often, and a model tier: its runs of the last 90 days.
--
-- A task is a text in a repository; often is as often as one learns from. Recent runs are those of
-- the last 30 days: what a change is worth is counted by them.
{{ config(materialized=whole_table()) }}

with

executions as (
    select *
    from {{ ref('fct_executions') }}
    where {{ within_window('day', var('solution_window_days')) }} and _task_text_id is not null
),

tasks as (
    select
        repo,
        _task_text_id
    from executions
    group by repo, _task_text_id
    having count(*) >= {{ setting('min_samples_for_learning', '10') }}
)

select
    executions.repo,
    executions._task_text_id as text_id,
    executions.model_tier,
    min(executions.task_description) as task_description,
    count(*) as execution_count,
    count(*) filter (executions.success) as success_count,
    count(executions.actual_cost) as cost_known_count,
    sum(executions.actual_cost) as total_cost,
    sum(pow(executions.actual_cost::double, 2)) as cost_squares,
    count(executions.duration_seconds) as duration_known_count,
    sum(executions.duration_seconds)::double as total_duration,
    count(*) filter ({{ is_recent() }}) as recent_count,
    count(executions.actual_cost) filter ({{ is_recent() }}) as recent_cost_known_count,
    max(executions.timestamp) as last_seen
from executions
inner join tasks
    on executions.repo = tasks.repo and executions._task_text_id = tasks._task_text_id
group by executions.repo, executions._task_text_id, executions.model_tier
order by executions.repo, executions._task_text_id
