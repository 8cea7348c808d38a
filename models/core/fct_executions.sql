-- One row is one valid execution: of a task_id's versions, the last loaded that breaks no rule.
--
-- Taken as changed: the blocks of load numbers in raw whose fingerprint is not the last build's,
-- and the tasks that have a version in one of them, or whose row standing here was in one. That is
-- complete, because a task's row changes only when a newer version comes or when it goes itself;
-- only for the latter are older versions looked up again.
--
-- No column comments: after a kill, DuckDB 2.0.0 cannot replay a comment on a column of a table
-- whose CHECKs call functions (trim, isfinite, interval), and does not open the file (2026-11).
{{ config(
    incremental_strategy='delete+insert',
    unique_key='task_id',
    persist_docs={'relation': true, 'columns': false},
    post_hook=[
        "{{ delete_lost_executions() }}",
        "{{ record_build_state(load_blocks()) }}",
        "{{ composite_indexes() }}",
    ],
) }}

with

-- Read twice below, and each time only a small part of it.
versions as not materialized (
    select * from {{ ref('stg_executions') }}
    where is_valid
),

{% if is_incremental() %}

changed_blocks as (
    {{ changed_buckets(load_blocks(), 'bigint') }}
),

changed_versions as (
    select * from versions
    where {{ in_changed_blocks() }}
),

tasks_that_lost_their_row as (
    select task_id from {{ this }}
    where {{ in_changed_blocks() }} and _load_seq not in (select _load_seq from changed_versions)
),

candidates as (
    select * from changed_versions
    where task_id not in (select task_id from tasks_that_lost_their_row)
    union all
    select * from versions
    where task_id in (select task_id from tasks_that_lost_their_row)
),

{% else %}

candidates as (
    select * from versions
),

{% endif %}

newest_versions as (
    select max(_load_seq) as _load_seq from candidates
    group by task_id
),

latest as (
    select * from candidates
    where _load_seq in (select _load_seq from newest_versions)
){{ ',' if is_incremental() }}

{% if is_incremental() %}

unchanged as (
    select task_id from {{ this }} as standing
    inner join latest using (task_id)
    where standing._load_seq >= latest._load_seq
        and task_id not in (select task_id from tasks_that_lost_their_row)
)

{% endif %}

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
    coalesce(uploaded_at, _loaded_at) as uploaded_at,
    _load_seq,
    _loaded_at,
    {{ text_id('task_description') }} as _task_text_id,
    {{ text_id('solution_summary') }} as _solution_text_id,
    {{ text_id('error_message') }} as _error_text_id,
    {{ model_of('metadata') }} as _model,
    {{ is_time_assigned('metadata') }} as _is_time_assigned
from latest
{% if is_incremental() %}
    where task_id not in (select task_id from unchanged)
{% endif %}
order by timestamp
