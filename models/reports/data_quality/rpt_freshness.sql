-- One row is the whole database: how much it holds, from when to when, and how old that is.
select
    {{ utc_now() }}::timestamp as as_of,
    count(*) as total_executions,
    {{ assigned_times() }} as assigned_time_count,
    min(timestamp) as first_execution_at,
    max(timestamp) as last_execution_at,
    max(_loaded_at) as last_loaded_at,
    {{ built_at() }} as built_at,
    {{ setting('min_samples_for_learning', '10') }} as least_samples
from {{ ref('fct_executions') }}
where timestamp <= {{ utc_now() }}
