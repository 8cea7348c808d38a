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
    retries.resolved / retries.attempts as resolution_rate,
    {{ wilson_lower('retries.resolved', 'retries.attempts') }} as resolution_rate_lower,
    {{ wilson_upper('retries.resolved', 'retries.attempts') }} as resolution_rate_upper,
    coalesce(same_again.attempts, 0) as same_again_attempts,
    same_again.resolved / same_again.attempts as same_again_rate,
    {{ wilson_lower('same_again.resolved', 'same_again.attempts') }} as same_again_rate_lower,
    {{ wilson_upper('same_again.resolved', 'same_again.attempts') }} as same_again_rate_upper
from retries
left join retries as same_again
    on retries.error_type = same_again.error_type and same_again.change = 'nothing'
