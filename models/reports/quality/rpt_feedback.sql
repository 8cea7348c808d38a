-- One row is a time range, a model tier, a task type and an issue of feedback given in it, or none.
with

-- Of public feedback fct_feedback has but the day.
moments as (
    select
        feedback_id,
        submitted_at as moment
    from {{ ref('stg_feedback') }}
),

feedback as (
    {% for time_range, length in time_ranges().items() %}
    select
        '{{ time_range }}' as time_range,
        has_execution,
        model_tier,
        task_type,
        issue_type,
        satisfaction,
        user_rating,
        user_accepted
    from {{ ref('fct_feedback') }}
    inner join moments using (feedback_id)
    where moment between {{ utc_now() }} - interval {{ length }} and {{ utc_now() }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

figures as (
    select
        time_range,
        has_execution,
        model_tier,
        task_type,
        issue_type,
        count(*) as feedback_count,
        count(*) filter (satisfaction = 'excellent') as excellent_count,
        count(*) filter (satisfaction = 'good') as good_count,
        count(*) filter (satisfaction = 'fair') as fair_count,
        count(*) filter (satisfaction = 'poor') as poor_count,
        avg(user_rating) as avg_user_rating,
        count(user_rating) as rating_known_count,
        count(*) filter (user_accepted) as accepted_count
    from feedback
    group by time_range, has_execution, model_tier, task_type, issue_type
)

select
    time_range,
    has_execution,
    model_tier,
    task_type,
    issue_type,
    feedback_count,
    excellent_count,
    good_count,
    fair_count,
    poor_count,
    avg_user_rating,
    rating_known_count,
    accepted_count,
    {{ rate_columns('acceptance_rate', 'accepted_count', 'feedback_count') }}
from figures
