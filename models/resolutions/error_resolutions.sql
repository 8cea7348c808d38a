-- One row is a failed execution and the later one that first succeeded at the same task.
with

resolved as (
    select * from {{ ref('int_retries') }}
    where resolved_by_task_id is not null
)

select
    failed.task_id as failed_task_id,
    success.task_id as resolved_task_id,
    failed.timestamp as failed_at,
    success.timestamp as resolved_at,
    failed.repo,
    failed.task_description,
    failed.error_type,
    failed.error_message,
    failed.model_tier as failed_model_tier,
    success.model_tier as resolved_model_tier,
    failed._model as failed_model,
    success._model as resolved_model,
    failed.pool_type as failed_pool_type,
    success.pool_type as resolved_pool_type,
    failed.model_tier != success.model_tier as tier_changed,
    coalesce(failed._model, '') != coalesce(success._model, '') as model_changed,
    failed.pool_type != success.pool_type as pool_changed,
    failed._solution_text_id != success._solution_text_id as solution_changed,
    resolved.resolved_change as change,
    success.solution_summary,
    resolved.attempts
from resolved
-- Each by its name: a CTE that is read twice waits for ever under a LIMIT in DuckDB 2.0.0, because
-- the join that ends early leaves the other waiting for its rows (2026-11).
inner join {{ ref('fct_executions') }} as failed
    on resolved.task_id = failed.task_id
inner join {{ ref('fct_executions') }} as success
    on resolved.resolved_by_task_id = success.task_id
