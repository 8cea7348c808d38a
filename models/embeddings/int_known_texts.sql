-- One row is a text of an execution that has started by now: what can be embedded and clustered.
select
    task_id,
    kind,
    text_id,
    text,
    timestamp
from {{ ref('int_texts') }}
where timestamp <= {{ utc_now() }}
