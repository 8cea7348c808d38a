-- One row is one valid execution, in the 27 columns of the record.
--
-- The record's own rating and acceptance, else those of the latest team or public feedback.
with

-- Lists: DuckDB 2.0.0 cannot read arrays from a left join where some rows have no match (2026-11).
-- Neither is ever empty: DuckDB 2.0.0 makes wrong sums of a join with nothing (2026-11), and this
-- view is summed up by whoever opens the file, with settings of their own.
task_vectors as (
    select
        text_id,
        embedding::float[] as embedding
    from {{ ref('text_embeddings') }}
    where model = '{{ embedding_model() }}'
    union all
    select
        null as text_id,
        null as embedding
),

{{ feedback_ratings() }}

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
    {{ rated('user_accepted') }},
    {{ rated('user_rating') }},
    peak_memory_mb,
    cpu_time_seconds,
    solution_summary,
    coalesce(executions.embedding, task_vectors.embedding)::float[384] as embedding,
    metadata,
    uploaded_at
from {{ ref('fct_executions') }} as executions
left join task_vectors
    on executions._task_text_id = task_vectors.text_id
left join ratings
    on executions.task_id = ratings.task_id
