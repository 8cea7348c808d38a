-- Every version up to the newest that a build has seen is valid and standing, rejected, or
-- superseded by a later valid version of its task.
with

versions as (
    select
        task_id,
        _load_seq,
        is_valid
    from {{ ref('stg_executions') }}
    where _load_seq <= (
        select max(newest) from (
            select max(_load_seq) as newest from {{ ref('fct_executions') }}
            union all
            select max(_load_seq) as newest from {{ ref('rejected_executions') }}
        )
    )
)

select versions.*
from versions
left join {{ ref('fct_executions') }} as standing
    on versions.task_id = standing.task_id
left join {{ ref('rejected_executions') }} as rejected
    on versions._load_seq = rejected._load_seq
where
    (versions.is_valid and coalesce(standing._load_seq < versions._load_seq, true))
    or (not versions.is_valid and rejected._load_seq is null)
