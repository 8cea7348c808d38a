-- One row is a task that was run often, and a model tier: how its runs there went.
select
    repo,
    task_description,
    model_tier,
    execution_count,
    success_count,
    {{ rate_with_bounds('success_count', 'execution_count', 'success_rate') }},
    execution_count >= {{ setting('min_samples_for_learning', '10') }} as has_enough_samples,
    total_cost / nullif(cost_known_count, 0) as avg_cost,
    total_cost,
    cost_known_count,
    total_duration / nullif(duration_known_count, 0) as avg_duration,
    duration_known_count,
    recent_count,
    last_seen,
    text_id
from {{ ref('int_task_tiers') }}
