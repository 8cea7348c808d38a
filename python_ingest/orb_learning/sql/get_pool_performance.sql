-- LearningDatabase.get_pool_performance
select
    pool_type,
    repo,
    hour,
    total_tasks,
    successful_tasks,
    avg_duration,
    avg_cost,
    success_rate,
    duration_known_count,
    cost_known_count
from pool_performance_mv
where
    hour >= $since
    and ($repo is null or repo = $repo)
order by hour desc, repo, pool_type
