-- One row is a version of an execution, with the time by which retention knows its age.
{% set rules = var('execution_rules') %}
select
    task_id,
    _load_seq,
    case
        when
            {{ rules['timestamp_missing']['holds'] }}
            and {{ rules['timestamp_in_the_future']['holds'] }}
            then timestamp
        else _loaded_at
    end as version_time
from {{ source('raw', 'executions') }}
