-- One row is the whole database, with how old its data and its last build are.
select
    as_of,
    total_executions,
    first_execution_at,
    last_execution_at,
    last_loaded_at,
    -- Every build makes its views anew, and this one with the time of that build.
    timestamp '{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as built_at
from {{ ref('rpt_freshness') }}
