-- One row is a pool type, repository and UTC hour of the last 7 days.
select
    pool_type,
    repo,
    hour,
    total_tasks,
    successful_tasks,
    {{ rate_over_tasks('success_rate', 'mart', 'successful_tasks', 'total_tasks') }},
    avg_duration,
    duration_known_count,
    avg_cost,
    cost_known_count
from {{ ref('pool_performance_mv') }} as mart
