-- One row is a repository, or everything, and a plan: its value of late against its own past.
--
-- Outcomes are weighted by 1 / chance as recorded. Everything has no repository.
with

days as (
    select * from {{ ref('int_routing_days') }}
),

plans as (
    select distinct
        plan,
        unnest({{ prefixes_of('plan') }}) as path
    from {{ ref('routing_policies') }}
    where plan <> 'logged'
),

-- Runs of one task are alike: as many tasks as decisions would tell more.
repeats as (
    select
        repo,
        decision_squares / decision_count as design_effect
    from {{ ref('int_routing_scores') }}
    where policy = 'logged' and baseline = '' and level <> 'cell'
),

halves as (
    select
        days.repo,
        plans.plan,
        days.path,
        days.date
        > (select max(all_days.date) from days as all_days) - {{ var('routing_drift_days') }}
            as is_recent,
        {{ drift_sums() }}
    from days
    inner join plans using (path)
    group by plans.plan, days.path, is_recent, cube(days.repo)
),

values as (
    select
        repo,
        {% for half, condition in [('recent', 'is_recent'), ('past', 'not is_recent')] %}
        {{ drift_values(half, condition) }},
        {% endfor %}
        plan
    from halves
    group by repo, plan
)

select
    values.repo,
    values.plan,
    values.recent_count,
    values.past_count,
    values.recent_success,
    values.past_success,
    values.recent_success - values.past_success as success_change,
    sqrt(repeats.design_effect * (values.recent_variance + values.past_variance))
        as success_change_error,
    values.recent_cost,
    values.past_cost,
    values.recent_cost - values.past_cost as cost_change,
    coalesce(
        values.recent_count >= 10 and values.past_count >= 10
        and abs(success_change) > 3 * success_change_error,
        false
    ) as has_drifted
from values
left join repeats on values.repo is not distinct from repeats.repo
