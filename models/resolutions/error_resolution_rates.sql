-- One row is an error type and what the next attempt at the task changed: how often it resolved it.
with

retries as (
    select
        coalesce(error_type, 'unknown') as error_type,
        next_change as change,
        next_success,
        -- Retries are found by it, so attempts at one task are of one cluster of texts, too.
        _task_key as _task_text_id
    from {{ ref('int_retries') }}
    where next_task_id is not null
),

figures as (
    select
        error_type,
        change,
        count(*) as attempts,
        count(*) filter (next_success) as resolved
    from retries
    group by error_type, change
),

{{ rates_by_task(
    ['error_type', 'change'], executions='retries', successes='resolved', trials='attempts',
    success='next_success', every_task=true
) }},

shown as (
    select
        error_type,
        change,
        attempts,
        resolved,
        {{ rate_over_tasks('resolution_rate', 'rates', 'resolved', 'attempts') }}
    from rates
)

select
    *,
    coalesce(max(attempts) filter (change = 'nothing') over of_the_error, 0)
        as same_again_attempts,
    max(resolution_rate) filter (change = 'nothing') over of_the_error as same_again_rate,
    max(resolution_rate_lower) filter (change = 'nothing') over of_the_error
        as same_again_rate_lower,
    max(resolution_rate_upper) filter (change = 'nothing') over of_the_error
        as same_again_rate_upper,
    coalesce(max(task_count) filter (change = 'nothing') over of_the_error, 0)
        as same_again_task_count
from shown
window of_the_error as (partition by error_type)
