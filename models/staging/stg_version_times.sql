-- One row is a version of an execution, with the time by which retention knows its age.
select
    task_id,
    _load_seq,
    {{ version_time() }} as version_time,
    {{ real_start() }} as started_at
from {{ source('raw', 'executions') }}
