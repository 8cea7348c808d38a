-- Each failed execution whose task says something stands in int_retries, and nothing else does; one
-- that starts after now fails later.
with

failures as (
    select task_id from {{ ref('fct_executions') }}
    where
        not success
        and _task_text_id is not null
        and timestamp <= {{ utc_now() }}
)

select
    failures.task_id,
    retries.task_id as looked_at
from failures
full join {{ ref('int_retries') }} as retries
    on failures.task_id = retries.task_id
where failures.task_id is null or retries.task_id is null
