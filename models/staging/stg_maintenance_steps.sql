-- One row is a step of a run of `orb maintain`, or the run as a whole.
select
    run_id,
    step,
    outcome,
    started_at,
    ended_at,
    message
from {{ source('raw', 'maintenance_steps') }}
