-- One row is a time range and two pools, models or repositories of the 10 most used, compared.
--
-- Like for like is within each tier and task type of both: easy work makes none look better. It
-- groups all executions by task for each dimension, so each build makes it, not each reader.
{{ config(materialized=whole_table()) }}
{%- set groups = {'pool': 'pool_type', 'model': '_model', 'repository': 'repo'} %}
with

{{ strata_of(groups) }}

{{ pairs_of_members() }},

{{ sides_of_pairs() }},

{{ compared_sides() }},

-- Each step is a column of its own, which planning takes once.
spreads as (
    select
        *,
        {% for side in ['', 'other_'] %}
        {{ like_for_like_variance(side ~ 'like_for_like_rate', side ~ 'spread') }}
            as _{{ side }}variance,
        {{ t_quantile(side ~ 'spread.degrees') }} as _{{ side }}t,
        {% endfor %}
        like_for_like_rate - other_like_for_like_rate as rate_difference
    from compared
),

bounded as (
    select
        *,
        {% for side in ['', 'other_'] %}
        {% for end, sign in {'lower': '-', 'upper': '+'}.items() %}
        {{ rate_bound(
            side ~ 'like_for_like_rate', '_' ~ side ~ 'variance', '_' ~ side ~ 't', sign
        ) }} as {{ side }}like_for_like_rate_{{ end }},
        {% endfor %}
        {% endfor %}
        -- To nine decimals, so that it is the same in any order of the sum.
        coalesce(round(mix_difference, 9) >= {{ var('mix_differs_from') }}, false) as mix_differs
    from spreads
),

judged as (
    select
        * exclude (spread, other_spread, _variance, _other_variance, _t, _other_t),
        {{ difference_bound(
            'like_for_like_rate', 'like_for_like_rate_lower',
            'other_like_for_like_rate', 'other_like_for_like_rate_upper', '-'
        ) }} as rate_difference_lower,
        {{ difference_bound(
            'like_for_like_rate', 'like_for_like_rate_upper',
            'other_like_for_like_rate', 'other_like_for_like_rate_lower', '+'
        ) }} as rate_difference_upper,
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
