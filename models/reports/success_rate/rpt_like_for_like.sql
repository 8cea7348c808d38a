-- One row is a time range and two pools, models or repositories of the 10 most used, compared.
--
-- Like for like is within each tier and task type of both: easy work makes none look better.
{%- set groups = {'pool': 'pool_type', 'model': '_model', 'repository': 'repo'} %}
with

{{ strata_of(groups) }}

-- Each CTE is read once, so that a filter on the range leaves the others unread.
names as (
    select
        time_range,
        dimension,
        name,
        sum(trials)::bigint as trials,
        sum(successes) / sum(trials) as success_rate,
        list({
            'stratum': stratum, 'trials': trials, 'successes': successes, 'tasks': tasks
        }) as strata
    from strata
    group by time_range, dimension, name
    qualify
        row_number() over (
            partition by time_range, dimension order by sum(trials) desc, name asc
        ) <= 10
),

members as (
    select
        time_range,
        dimension,
        list({
            'name': name, 'trials': trials, 'success_rate': success_rate, 'strata': strata
        }) as members
    from names
    group by time_range, dimension
),

pairs as (
    select
        time_range,
        dimension,
        one,
        unnest(members) as other
    from (
        select
            *,
            unnest(members) as one
        from members
    ) as ones
),

{{ sides_of_pairs() }},

judged as (
    select
        *,
        coalesce(mix_difference >= {{ var('mix_differs_from') }}, false) as mix_differs,
        least(matched_task_count, other_matched_task_count)
        >= {{ setting('min_samples_for_learning', '10') }} as has_enough_samples,
        -- Each pair is there from both sides; the one with more executions comes first.
        mix_differs
        and dimension in ('pool', 'repository')
        and (total_executions, name) > (other_executions, other_name) as is_shown
    from compared
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
