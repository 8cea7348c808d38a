-- LearningDatabase.get_solution_patterns
select
    solution_summary,
    repo,
    task_types,
    usage_count,
    success_count,
    avg_quality,
    first_seen,
    last_seen,
    success_rate,
    quality_known_count
from solution_patterns_mv
where
    usage_count >= $min_usage
    and ($repo is null or repo = $repo)
order by usage_count desc, success_rate desc, solution_summary, repo
limit $limit
