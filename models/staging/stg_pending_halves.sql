-- One row is a routing decision or an outcome that waits for its other half, without its content.
select
    task_id,
    kind,
    loaded_at,
    recorded_at
from {{ source('raw', 'pending_halves') }}
