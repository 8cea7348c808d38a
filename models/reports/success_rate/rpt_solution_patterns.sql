-- One row is a solution that was used often in a repository in the last 90 days.
select
    solution_summary,
    repo,
    task_types,
    usage_count,
    success_count,
    {{ rate_over_tasks('success_rate', 'mart', 'success_count', 'usage_count') }},
    avg_quality,
    quality_known_count,
    first_seen,
    last_seen
from {{ ref('solution_patterns_mv') }} as mart
