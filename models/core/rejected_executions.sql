-- One row is one version of an execution that broke a rule, with the names of the rules it broke.
--
-- Taken as changed: the blocks of load numbers in raw whose fingerprint is not the last build's;
-- whether a version is rejected depends on nothing but itself.
{{ config(
    incremental_strategy='append',
    pre_hook="{{ delete_changed_buckets('_load_block', load_blocks(), 'bigint') }}",
    post_hook="{{ record_build_state(load_blocks()) }}",
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
    broken_rules,
    _load_seq,
    _loaded_at,
    _load_block
from rejected_versions
where _load_block in (select bucket from changed_blocks)
