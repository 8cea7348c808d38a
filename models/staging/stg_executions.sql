-- One row is one version of an execution as it came, with the rules that it breaks.
with

versions as (
    select * from {{ source('raw', 'executions') }}
),

tiers as (
    select * from {{ ref('model_tiers') }}
),

tiered_versions as (
    select versions.* replace (
        coalesce(tiers.model_tier, versions.model_tier) as model_tier,
        {{ in_years('versions.timestamp') }} as timestamp,
        {{ in_years('versions.uploaded_at') }} as uploaded_at
    )
    from versions
    left join tiers
        on lower(trim(versions.model_tier)) = tiers.name
)

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
    embedding,
    metadata,
    uploaded_at,
    _load_seq,
    _loaded_at,
    {{ holds_every_rule('reject') }} as is_valid,
    {{ broken_rules('reject') }} as broken_rules,
    {{ broken_rules('warn') }} as warnings
from tiered_versions
