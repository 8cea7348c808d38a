-- One row is an error type and what the next attempt at the task changed: how often it resolved it.
with

retries as (
    select
        coalesce(error_type, 'unknown') as error_type,
        next_change as change,
        count(*) as attempts,
        count(*) filter (next_success) as resolved
    from {{ ref('int_retries') }}
    where next_task_id is not null
    group by coalesce(error_type, 'unknown'), next_change
),

compared_retries as (
    select
        *,
        max(if(change = 'nothing', attempts, 0)) over of_the_error as same_again_attempts,
        max(if(change = 'nothing', resolved, 0)) over of_the_error as same_again_resolved
    from retries
    window of_the_error as (partition by error_type)
)

select
    error_type,
    change,
    attempts,
    resolved,
    {{ rate_with_bounds('resolved', 'attempts', 'resolution_rate') }},
    same_again_attempts,
    {{ rate_with_bounds('same_again_resolved', 'same_again_attempts', 'same_again_rate') }}
from compared_retries
