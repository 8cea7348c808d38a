-- LearningDatabase.get_tier_performance
select
    repo,
    model_tier,
    task_type,
    date,
    total_executions,
    successful_count,
    avg_duration,
    avg_cost,
    avg_quality,
    p95_duration,
    duration_known_count,
    cost_known_count,
    quality_known_count
from tier_performance_mv
where
    date >= $since
    and ($repo is null or repo = $repo)
order by date desc, repo, model_tier, task_type
