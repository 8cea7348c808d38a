-- One row is a task that was deleted on request.
select
    task_id,
    version_count,
    forgotten_at
from {{ source('raw', 'forgotten') }}
