-- One row is a step of a run of `orb maintain`, or the run as a whole.
with

newest_run as (
    select max_by(run_id, started_at) as run_id
    from {{ ref('stg_maintenance_steps') }}
),

-- Only one run is at work at a time: what an older one has not ended, it never will.
judged_steps as (
    select
        steps.*,
        steps.outcome = 'started' as is_open,
        steps.run_id != newest_run.run_id
        or steps.started_at < {{ utc_now() }} - interval 1 day as is_over
    from {{ ref('stg_maintenance_steps') }} as steps
    cross join newest_run
)

select
    run_id,
    step,
    case when is_open and is_over then 'unfinished' else outcome end as outcome,
    started_at,
    case when not is_open then ended_at end as ended_at,
    case when not is_open then epoch_us(ended_at - started_at) / 1e6 end as seconds,
    message
from judged_steps
