-- One row is a repository, or everything, a policy of several attempts, and a step of its plan.
--
-- Outcomes are weighted by 1 / chance, so a step is seen as it would be if all took the plan.
-- Everything has no repository.
with

steps as (
    select * from {{ ref('int_routing_steps') }}
    where plan like '%>%'
),

sums as (
    select * from {{ ref('int_routing_sums') }}
),

seen as (
    select
        case when grouping(steps.repo) = 1 then null else steps.repo end as repo,
        steps.policy,
        steps.step,
        case when min(steps.path) = max(steps.path) then min(steps.path) end as path,
        sum(sums.run_count)::bigint as attempt_count,
        sum(sums.success_count)::bigint as success_count,
        sum(sums.success_weight) / nullif(sum(sums.weight), 0) as passed,
        sum(sums.capped_cost_weight)
        / nullif(sum(sums.weight - sums.unknown_weight), 0) as step_cost
    from steps
    inner join sums using (_cell_id, fold, path)
    group by steps.policy, steps.step, cube(steps.repo)
),

gains as (
    select
        repo,
        policy,
        success - capped_cost / {{ var('routing_usd_per_success') }} as utility_gain,
        later_success - later_capped_cost / {{ var('routing_usd_per_success') }} as later_utility
    from {{ ref('int_routing_scores') }}
    where baseline <> '' and level <> 'cell'
)

select
    seen.repo,
    seen.policy,
    seen.step,
    seen.path,
    seen.attempt_count,
    seen.success_count,
    seen.passed,
    case when seen.step > 1 then seen.passed end as recovered,
    seen.step_cost,
    -- Each failure that the check misses loses what the later steps bring.
    case
        when gains.later_utility > 0
            then least(greatest(gains.utility_gain / gains.later_utility, 0), 1)
    end as highest_miss_rate
from seen
left join gains
    on seen.repo is not distinct from gains.repo and seen.policy = gains.policy
