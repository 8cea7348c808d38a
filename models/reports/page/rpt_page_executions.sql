-- One row is an execution of the last 90 days, with the places of its values in the page's filters.
select
    executions.timestamp,
    executions.task_id,
    {{ place_columns(['repo', 'model_tier', 'pool_type', 'task_type']) }},
    executions._task_text_id as text_id,
    executions.task_description,
    executions.repo,
    executions.model_tier,
    executions.success,
    {{ failed_error_type() }} as error_type,
    executions.error_message,
    executions.duration_seconds,
    executions.actual_cost,
    executions.quality_score,
    executions.solution_summary
from {{ ref('fct_executions') }} as executions
{{ join_places(['repo', 'model_tier', 'pool_type', 'task_type']) }}
where executions.{{ started_within('90 day') }}
