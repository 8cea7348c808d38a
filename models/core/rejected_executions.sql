-- One row is one version of an execution that broke a rule, with the names of the rules it broke.
--
-- Taken as changed: the blocks of load numbers in raw whose fingerprint is not the last build's;
-- whether a version is rejected depends on nothing but itself.
{{ config(
    incremental_strategy='replace_changed',
    unique_key='_load_block',
    meta={'never_null': '_load_seq'},
    post_hook="{{ remember_build(load_blocks()) }}",
) }}

with

changed_blocks as (
    {{ changed_buckets(load_blocks(is_incremental()), 'bigint') }}
),

rejected_versions as (
    select
        *,
        _load_seq // {{ var('load_block_size') }} as _load_block
    from {{ ref('stg_executions') }}
    where
        not is_valid
        and _load_seq >= (select min(bucket) * {{ var('load_block_size') }} from changed_blocks)
)

select
    rejected_versions.task_id,
    rejected_versions.timestamp,
    rejected_versions.task_type,
    rejected_versions.task_description,
    rejected_versions.repo,
    rejected_versions.file_count,
    rejected_versions.estimated_tokens,
    rejected_versions.model_tier,
    rejected_versions.pool_type,
    rejected_versions.swarm_topology,
    rejected_versions.routing_confidence,
    rejected_versions.complexity_score,
    rejected_versions.success,
    rejected_versions.duration_seconds,
    rejected_versions.quality_score,
    rejected_versions.cost_estimate,
    rejected_versions.actual_cost,
    rejected_versions.error_type,
    rejected_versions.error_message,
    rejected_versions.user_accepted,
    rejected_versions.user_rating,
    rejected_versions.peak_memory_mb,
    rejected_versions.cpu_time_seconds,
    rejected_versions.solution_summary,
    rejected_versions.embedding,
    rejected_versions.metadata,
    rejected_versions.uploaded_at,
    rejected_versions.broken_rules,
    rejected_versions._load_seq,
    rejected_versions._loaded_at,
    changed_blocks.bucket as _load_block
from changed_blocks
{{ 'left' if is_incremental() else 'inner' }} join rejected_versions
    on changed_blocks.bucket = rejected_versions._load_block
