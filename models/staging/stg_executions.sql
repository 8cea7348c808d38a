-- One row is one version of an execution as it came, with the rules that it breaks.
with

tiers as (
    select
        name,
        model_tier,
        {{ model_key('name') }} as key
    from {{ ref('model_tiers') }}
),

named_versions as (
    select
        *,
        {{ given_model() }} as _given_model
    from {{ source('raw', 'executions') }}
),

-- By the longest name of the seed that the given one begins with; a tier's own name as a whole.
-- Lateral, because the names are then compared once a distinct name and not once a row.
tiered_versions as (
    select
        named.* replace (
            coalesce(known.model_tier, {{ or_unknown('named.model_tier') }}) as model_tier,
            {{ or_unknown('named.task_type') }} as task_type,
            {{ or_unknown('named.repo') }} as repo,
            coalesce(
                nullif(trim(named.pool_type), ''),
                {{ or_unknown("named.metadata ->> '$.pool_id'") }}
            ) as pool_type,
            {{ in_years('named.timestamp') }} as timestamp,
            {{ in_years('named.uploaded_at') }} as uploaded_at
        )
    from named_versions as named
    left join
        lateral (
            select tiers.model_tier
            from tiers
            where {{ begins_with_name('named._given_model', 'tiers') }}
            order by length(tiers.key) desc
            limit 1
        ) as known
        on true
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
