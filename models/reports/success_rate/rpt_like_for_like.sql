-- One row is a time range and two pools, models or repositories of the 10 most used, compared.
--
-- Like for like is within each tier and task type of both: easy work makes none look better.
{%- set groups = {'pool': 'pool_type', 'model': '_model', 'repository': 'repo'} %}
with

{{ strata_of(groups) }}

{{ pairs_of_members() }},

{{ sides_of_pairs() }},

{{ compared_sides() }},

bounded as (
    select
        *,
        {% for side in ['', 'other_'] %}
        {%- set rate, spread = side ~ 'like_for_like_rate', side ~ 'spread' %}
        {{ like_for_like_bound(rate, spread, '-') }} as {{ rate }}_lower,
        {{ like_for_like_bound(rate, spread, '+') }} as {{ rate }}_upper,
        {% endfor %}
        like_for_like_rate - other_like_for_like_rate as rate_difference,
        {{ difference_bound(
            'like_for_like_rate', 'like_for_like_rate_lower',
            'other_like_for_like_rate', 'other_like_for_like_rate_upper', '-'
        ) }} as rate_difference_lower,
        {{ difference_bound(
            'like_for_like_rate', 'like_for_like_rate_upper',
            'other_like_for_like_rate', 'other_like_for_like_rate_lower', '+'
        ) }} as rate_difference_upper
    from compared
),

judged as (
    select
        * exclude (spread, other_spread),
        coalesce(mix_difference >= {{ var('mix_differs_from') }}, false) as mix_differs,
        least(matched_task_count, other_matched_task_count)
        >= {{ setting('min_samples_for_learning', '10') }} as has_enough_samples,
        -- Each pair is there from both sides; the one with more executions comes first.
        mix_differs
        and dimension in ('pool', 'repository')
        and (total_executions, name) > (other_executions, other_name) as is_shown
    from bounded
)

select
    * exclude (is_shown),
    case
        when is_shown
            then row_number() over (
                partition by time_range, is_shown
                order by
                    least(matched_count, other_matched_count) desc,
                    dimension asc, name asc, other_name asc
            )
    end as shown_rank
from judged
