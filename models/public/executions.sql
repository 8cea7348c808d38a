-- One row is one valid execution, in the 27 columns of the record.
select
    task_id,
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
    user_accepted,
    user_rating,
    peak_memory_mb,
    cpu_time_seconds,
    solution_summary,
    coalesce(executions.embedding::float[384], texts.embedding) as embedding,
    metadata,
    uploaded_at
from {{ ref('fct_executions') }} as executions
left join {{ ref('text_embeddings') }} as texts
    on executions._task_text_id = texts.text_id and texts.model = '{{ embedding_model() }}'
