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
)

select
    retries.error_type,
    retries.change,
    retries.attempts,
    retries.resolved,
    {{ rate_with_bounds('retries.resolved', 'retries.attempts', 'resolution_rate') }},
    coalesce(same_again.attempts, 0) as same_again_attempts,
    {{ rate_with_bounds('same_again.resolved', 'same_again.attempts', 'same_again_rate') }}
from retries
left join retries as same_again
    on retries.error_type = same_again.error_type and same_again.change = 'nothing'
