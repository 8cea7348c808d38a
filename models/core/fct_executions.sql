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
    incremental_strategy='replace_changed',
    unique_key='task_id',
    meta={'never_null': '_load_seq'},
    persist_docs={'relation': true, 'columns': false},
    post_hook=[
        "{{ remember_build(load_blocks()) }}",
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

-- The least load number lets both scans skip the row groups before it.
changed_versions as (
    select * from versions
    where _load_seq >= (select min(bucket) * {{ var('load_block_size') }} from changed_blocks)
        and _load_seq // {{ var('load_block_size') }} in (select bucket from changed_blocks)
),

tasks_that_lost_their_row as (
    select task_id from {{ this }}
    where _load_seq >= (select min(bucket) * {{ var('load_block_size') }} from changed_blocks)
        and _load_seq // {{ var('load_block_size') }} in (select bucket from changed_blocks)
        and _load_seq not in (select _load_seq from changed_versions)
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

standing as (
    select
        task_id,
        _load_seq,
    from {{ this }}
    where task_id in (select task_id from latest)
),

changed_tasks as (
    select task_id from tasks_that_lost_their_row
    union
    select latest.task_id from latest
    left join standing
        on latest.task_id = standing.task_id
    where standing._load_seq is null or standing._load_seq < latest._load_seq
)

{% endif %}

select
    task_id,
    latest.timestamp,
    latest.task_type,
    latest.task_description,
    latest.repo,
    latest.file_count,
    latest.estimated_tokens,
    latest.model_tier,
    latest.pool_type,
    latest.swarm_topology,
    latest.routing_confidence,
    latest.complexity_score,
    latest.success,
    latest.duration_seconds,
    latest.quality_score,
    latest.cost_estimate,
    latest.actual_cost,
    latest.error_type,
    latest.error_message,
    latest.user_accepted,
    latest.user_rating,
    latest.peak_memory_mb,
    latest.cpu_time_seconds,
    latest.solution_summary,
    latest.embedding,
    latest.metadata,
    coalesce(latest.uploaded_at, latest._loaded_at) as uploaded_at,
    latest._load_seq,
    latest._loaded_at,
    {{ text_id('latest.task_description') }} as _task_text_id,
    {{ text_id('latest.solution_summary') }} as _solution_text_id,
    {{ text_id('latest.error_message') }} as _error_text_id
from latest
{% if is_incremental() %}
    right join changed_tasks using (task_id)
{% endif %}
order by latest.timestamp
