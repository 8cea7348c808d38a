-- One row is a cell, repository or everything and a plan: the chance that a router draws it by.
--
-- The probability that the plan is the best of its unit, mixed with exploration, by quadrature: the
-- same of the same data, since nothing is drawn.
with

gains as (
    select * from {{ ref('int_routing_gains') }}
    where measure = 'utility'
),

candidates as (
    {{ plans_to_draw() }}
),

plans as (
    select
        *,
        dense_rank() over (order by level, repo, task_type, complexity_band) as unit
    from candidates
    qualify row_number() over (
        partition by level, repo, task_type, complexity_band, plan
        order by gain desc, policy asc
    ) = 1
),

grid as (
    select unnest(range(-40, 41)) / 10.0::double as x
),

-- At points of each plan's gain, how probable it is that every other plan's gain is below.
points as (
    select
        plans.unit,
        plans.plan,
        grid.x,
        coalesce(product({{ normal_below(
            '((plans.gain + plans.error * grid.x - others.gain) / others.error)'
        ) }}) filter (others.plan is not null), 1) as chance_to_be_above
    from plans
    cross join grid
    left join plans as others
        on plans.unit = others.unit and plans.plan <> others.plan
    group by plans.unit, plans.plan, grid.x
),

best as (
    select
        unit,
        plan,
        sum(exp(-pow(x, 2) / 2) * chance_to_be_above) as chance
    from points
    group by unit, plan
)

select
    plans.level,
    plans.repo,
    plans.task_type,
    plans.complexity_band,
    plans.plan,
    plans.policy,
    {{ var('routing_exploration') }}::double / count(*) over units
    + (1 - {{ var('routing_exploration') }}::double) * best.chance / sum(best.chance) over units
        as propensity
from plans
inner join best using (unit, plan)
window units as (partition by unit)
