-- One row is an execution as an attempt at its task, which others may have attempted, too.
with

executions as (
    select * from {{ ref('fct_executions') }}
),

-- Never empty, as in the view executions.
clusters as (
    select
        text_id,
        cluster_id
    from {{ ref('int_text_clusters') }}
    where kind = 'task'
    union all
    select
        null as text_id,
        null as cluster_id
)

select
    executions.task_id,
    executions.timestamp,
    {{ bucket_of('day') }} as date,
    -- Whoever began before this moment did not know how the attempt ended.
    executions.timestamp + to_microseconds(greatest(1, ceil(1e6 * least(
        coalesce(executions.duration_seconds, 0),
        -- beyond the window; a longer time might not fit the type
        3600 * {{ var('error_resolution_window_hours') }} + 1
    )))::bigint) as ended_at,
    executions.repo,
    executions.success,
    executions.error_type,
    executions.model_tier,
    executions.pool_type,
    executions._model,
    -- Without a vector, the same text is the same task.
    coalesce(clusters.cluster_id, executions._task_text_id) as _task_key,
    executions._load_seq
from executions
left join clusters
    on executions._task_text_id = clusters.text_id
where executions._task_text_id is not null
