-- One row is a repository, model tier, task type and UTC day of the last 30 days.
select
    repo,
    model_tier,
    task_type,
    date,
    total_executions,
    successful_count,
    {{ rate_over_tasks('success_rate', 'mart', 'successful_count', 'total_executions') }},
    avg_duration,
    p95_duration,
    duration_known_count,
    avg_cost,
    cost_known_count,
    avg_quality,
    quality_known_count
from {{ ref('tier_performance_mv') }} as mart
