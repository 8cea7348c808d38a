-- Every row of fct_executions and rejected_executions is a version in raw, valid or not.
with

core_rows as (
    select
        _load_seq,
        true as is_valid
    from {{ ref('fct_executions') }}
    union all
    select
        _load_seq,
        false as is_valid
    from {{ ref('rejected_executions') }}
)

select core_rows.*
from core_rows
left join {{ ref('stg_executions') }} as versions
    on
        core_rows._load_seq = versions._load_seq
        and core_rows.is_valid = versions.is_valid
where versions._load_seq is null
