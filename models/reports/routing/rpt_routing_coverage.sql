-- One row is a repository, or everything, and a plan: where its chances come from, and their size.
--
-- Drawn by the chances that were recorded, a plan's weights are 1 in the mean. Everything has no
-- repository.
with

paths as (
    select * from {{ ref('int_routing_paths') }}
),

shares as (
    select * from {{ ref('int_routing_shares') }}
    where path = ''
),

logged_plans as (
    select
        repo,
        path as plan,
        drawn_count as logged_count,
        0 as estimated_count,
        0 as excluded_count,
        drawable_count,
        inverse_plan_chances,
        drawn_inverse_chances,
        least_chance
    from paths
    where unlogged_plan = '' and drawable_count > 0
),

unlogged_plans as (
    select
        paths.repo,
        paths.unlogged_plan as plan,
        0 as logged_count,
        case when shares.share is null then 0 else paths.run_count end as estimated_count,
        case when shares.share is null then paths.run_count else 0 end as excluded_count,
        0 as drawable_count,
        0 as inverse_plan_chances,
        0 as drawn_inverse_chances,
        null as least_chance
    from paths
    left join shares using (_cell_id, unlogged_plan)
    where paths.unlogged_plan <> '' and paths.path = ''
),

all_plans as (
    select * from logged_plans
    union all
    select * from unlogged_plans
),

plans as (
    select
        repo,
        plan,
        {% for name in ['logged', 'estimated', 'excluded', 'drawable'] %}
        sum({{ name }}_count)::bigint as {{ name }}_count,
        {% endfor %}
        sum(inverse_plan_chances) as inverse_plan_chances,
        sum(drawn_inverse_chances) as drawn_inverse_chances,
        min(least_chance) as least_chance
    from all_plans
    group by plan, cube(repo)
)

select
    repo,
    plan,
    logged_count,
    estimated_count,
    excluded_count,
    drawable_count,
    least_chance,
    pow(drawable_count, 2) / nullif(inverse_plan_chances, 0) as effective_count,
    drawn_inverse_chances / nullif(drawable_count, 0) as mean_weight,
    sqrt(greatest(inverse_plan_chances - drawable_count, 0)) / nullif(drawable_count, 0)
        as mean_weight_error,
    abs(mean_weight - 1) <= 4 * mean_weight_error + 1e-9 as is_plausible
from plans
