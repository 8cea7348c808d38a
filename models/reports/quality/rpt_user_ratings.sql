-- One row is a time range and a person's rating given in it, 1 to 5.
with

-- From the public view, because it is where people's later feedback joins the record's own.
ratings as (
    {% for time_range, length in time_ranges().items() %}
    select
        '{{ time_range }}' as time_range,
        user_rating
    from {{ ref('executions') }}
    where user_rating is not null and {{ started_within(length) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

rating_counts as (
    select
        time_range,
        user_rating,
        count(*) as rating_count
    from ratings
    group by time_range, user_rating
)

select
    time_range,
    user_rating,
    rating_count,
    rating_count / sum(rating_count) over (partition by time_range) as rating_share
from rating_counts
