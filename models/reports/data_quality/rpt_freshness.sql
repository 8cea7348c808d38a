-- One row is the whole database: how much it holds, from when to when, and how old that is.
select
    {{ utc_now() }}::timestamp as as_of,
    count(*) as total_executions,
    min(timestamp) as first_execution_at,
    max(timestamp) as last_execution_at,
    max(_loaded_at) as last_loaded_at,
    {{ built_at() }} as built_at
from {{ ref('fct_executions') }}
where timestamp <= {{ utc_now() }}
