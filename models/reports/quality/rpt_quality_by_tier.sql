-- One row is a time range and a model tier used in it, with its quality and what people say of it.
with

{{ feedback_ratings() }},

executions as (
    select
        executions.time_range,
        executions.model_tier,
        executions.quality_score,
        executions._task_text_id,
        {{ rated('user_accepted') }},
        {{ rated('user_rating') }}
    from {{ ref('int_executions_by_range') }} as executions
    left join ratings
        on executions.task_id = ratings.task_id
),

figures as (
    select
        time_range,
        model_tier,
        count(*) as total_executions,
        avg(quality_score) as avg_quality,
        median(quality_score) as median_quality,
        count(quality_score) as quality_known_count,
        avg(user_rating) as avg_user_rating,
        count(user_rating) as rating_known_count,
        count(*) filter (user_accepted) as accepted_count,
        count(user_accepted) as acceptance_known_count
    from executions
    group by time_range, model_tier
),

answers as (
    select * from executions
    where user_accepted is not null
),

{{ rates_by_task(
    ['time_range', 'model_tier'], executions='answers', successes='accepted_count',
    trials='acceptance_known_count', success='user_accepted'
) }}

select
    time_range,
    model_tier,
    total_executions,
    avg_quality,
    median_quality,
    quality_known_count,
    avg_user_rating,
    rating_known_count,
    accepted_count,
    acceptance_known_count,
    {{ rate_over_tasks('acceptance_rate', 'rates', 'accepted_count', 'acceptance_known_count') }}
from rates
