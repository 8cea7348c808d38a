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
        named.task_id,
        {{ in_years('named.timestamp') }} as timestamp,
        {{ or_unknown('named.task_type') }} as task_type,
        named.task_description,
        {{ or_unknown('named.repo') }} as repo,
        named.file_count,
        named.estimated_tokens,
        coalesce(known.model_tier, {{ or_unknown('named.model_tier') }}) as model_tier,
        coalesce(
            nullif(trim(named.pool_type), ''),
            {{ or_unknown("named.metadata ->> '$.pool_id'") }}
        ) as pool_type,
        named.swarm_topology,
        named.routing_confidence,
        named.complexity_score,
        named.success,
        named.duration_seconds,
        named.quality_score,
        named.cost_estimate,
        named.actual_cost,
        named.error_type,
        named.error_message,
        named.user_accepted,
        named.user_rating,
        named.peak_memory_mb,
        named.cpu_time_seconds,
        named.solution_summary,
        named.embedding,
        named.metadata,
        {{ in_years('named.uploaded_at') }} as uploaded_at,
        named._load_seq,
        named._loaded_at
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
    *,
    {{ holds_every_rule('reject') }} as is_valid,
    {{ broken_rules('reject') }} as broken_rules,
    {{ broken_rules('warn') }} as warnings
from tiered_versions
