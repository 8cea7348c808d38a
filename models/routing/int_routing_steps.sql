-- One row is a cell, policy, fold and step of the policy's plan: what the model expects from it on.
--
-- What is done today, the policy `logged`, has one step without a model: the decision itself.
{{ config(materialized=whole_table()) }}

with

plans as (
    select
        *,
        {{ prefixes_of('plan') }} as paths
    from {{ ref('int_routing_plans') }}
),

chains as (
    select
        plans.*,
        one.fold,
        [one.success, two.success, three.success] as success,
        [one.capped_cost, two.capped_cost, three.capped_cost] as capped_cost,
        {% for outcome in ['success', 'capped_cost', 'cost'] %}
        {{ to_go(outcome) }} as {{ outcome }}_to_go,
        {% endfor %}
        len(plans.paths) as steps
    from plans
    inner join {{ ref('int_routing_means') }} as one
        on plans._cell_id = one._cell_id and one.path = plans.paths[1]
    left join {{ ref('int_routing_means') }} as two
        on plans._cell_id = two._cell_id and one.fold = two.fold and two.path = plans.paths[2]
    left join {{ ref('int_routing_means') }} as three
        on plans._cell_id = three._cell_id and one.fold = three.fold and three.path = plans.paths[3]
),

numbered_steps as (
    select
        *,
        unnest(range(1, steps + 1)) as step
    from chains
)

select
    _cell_id,
    repo,
    task_type,
    complexity_band,
    policy,
    plan,
    fold,
    step,
    step = steps as is_last,
    paths[step] as path,
    success[step] as success,
    capped_cost[step] as capped_cost,
    {% for outcome in ['success', 'capped_cost', 'cost'] %}
    {{ outcome }}_to_go[step] as {{ outcome }}_to_go,
    case when step = steps then 0 else {{ outcome }}_to_go[step + 1] end as {{ outcome }}_after,
    {% endfor %}
    -- How probable it is that the plan comes to this step: that the ones before it fail.
    coalesce(list_product(list_transform(success[1:step - 1], lambda s: 1 - s)), 1) as reach
from numbered_steps
union all by name
select
    _cell_id,
    repo,
    task_type,
    complexity_band,
    policy,
    plan,
    unnest(range(5))::tinyint as fold,
    1 as step,
    true as is_last,
    '' as path,
    {% for column in ['success', 'capped_cost', 'success_to_go', 'success_after',
        'capped_cost_to_go', 'capped_cost_after', 'cost_to_go', 'cost_after'] %}
    0 as {{ column }},
    {% endfor %}
    1 as reach
from plans
where plan = 'logged'
