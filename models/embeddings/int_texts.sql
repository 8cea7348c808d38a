-- One row is a text of an execution that can be embedded; the same text stands here many times.
with

executions as (
    select * from {{ ref('fct_executions') }}
)

select
    task_id,
    'task' as kind,
    _task_text_id as text_id,
    {{ normalized_text('task_description') }} as text,
    timestamp
from executions
where _task_text_id is not null
union all
select
    task_id,
    'solution' as kind,
    _solution_text_id as text_id,
    {{ normalized_text('solution_summary') }} as text,
    timestamp
from executions
where _solution_text_id is not null
union all
select
    task_id,
    'error' as kind,
    _error_text_id as text_id,
    {{ normalized_text('error_message') }} as text,
    timestamp
from executions
where _error_text_id is not null
