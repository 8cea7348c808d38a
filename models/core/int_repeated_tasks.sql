-- One row is a task that was executed more than once, by its text.
--
-- Reports group only the executions of these by task; the others are a task each.
{{ config(materialized=whole_table()) }}

select
    _task_text_id,
    count(*) as execution_count
from {{ ref('fct_executions') }}
where _task_text_id is not null
group by _task_text_id
having count(*) > 1
