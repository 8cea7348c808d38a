-- One row is a cell and a policy, with the sums from which the policy is valued there.
with

steps as (
    select * from {{ ref('int_routing_steps') }}
),

sums as (
    select * from {{ ref('int_routing_sums') }}
),

roots as (
    select * from sums
    where path = ''
),

-- By fold: the decisions, as the model expects them.
expected as (
    select
        steps._cell_id,
        steps.policy,
        any_value(steps.repo) as repo,
        any_value(steps.task_type) as task_type,
        any_value(steps.complexity_band) as complexity_band,
        any_value(steps.plan) as plan,
        {{ expected_sums() }}
    from steps
    inner join roots using (_cell_id, fold)
    where steps.step = 1
    group by steps._cell_id, steps.policy
),

-- By fold and step: what was seen corrects it.
seen as (
    select
        steps._cell_id,
        steps.policy,
        {{ seen_sums() }}
    from steps
    left join sums using (_cell_id, fold, path)
    group by steps._cell_id, steps.policy
)

select
    expected.*,
    {% for outcome in ['success', 'capped_cost', 'cost'] %}
    expected.model_{{ outcome }} + seen.{{ outcome }}_correction as {{ outcome }},
    {% endfor %}
    -- what the steps after the first one bring
    {% for outcome in ['success', 'capped_cost'] %}
    expected.model_{{ outcome }} + seen.{{ outcome }}_correction
    - expected.model_first_{{ outcome }}
    - seen.first_{{ outcome }}_correction as later_{{ outcome }},
    {% endfor %}
    seen.* exclude (_cell_id, policy, success_correction, capped_cost_correction, cost_correction)
from expected
inner join seen using (_cell_id, policy)
