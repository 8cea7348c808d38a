-- One row is one valid execution, in the 27 columns of the record.
--
-- The record's own rating and acceptance, else those of the latest team or public feedback.
select
    executions.task_id,
    timestamp,
    task_type,
    task_description,
    repo,
    file_count,
    estimated_tokens,
    model_tier,
    pool_type,
    swarm_topology,
    routing_confidence,
    complexity_score,
    success,
    duration_seconds,
    quality_score,
    cost_estimate,
    actual_cost,
    error_type,
    error_message,
    coalesce(executions.user_accepted, feedback.user_accepted) as user_accepted,
    coalesce(executions.user_rating, feedback.user_rating) as user_rating,
    peak_memory_mb,
    cpu_time_seconds,
    solution_summary,
    coalesce(executions.embedding::float[384], texts.embedding) as embedding,
    metadata,
    uploaded_at
from {{ ref('fct_executions') }} as executions
left join {{ ref('text_embeddings') }} as texts
    on executions._task_text_id = texts.text_id and texts.model = '{{ embedding_model() }}'
left join {{ ref('int_feedback_ratings') }} as feedback
    on executions.task_id = feedback.task_id
