-- One row is the whole database, with how old its data and its last build are.
select
    as_of,
    total_executions,
    assigned_time_count,
    first_execution_at,
    last_execution_at,
    last_loaded_at,
    built_at,
    least_samples
from {{ ref('rpt_freshness') }}
