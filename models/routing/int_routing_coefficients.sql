-- One row is a cell, policy, fold and sum of a text: what the sum counts for in the text's scores.
--
-- A text's score is linear in its sums, so squares of scores are made of products of sums.
{{ config(materialized=whole_table()) }}

with

steps as (
    select * from {{ ref('int_routing_steps') }}
),

-- Recorded chances are in the weights already; estimated ones are not.
scales as (
    select
        _cell_id,
        unlogged_plan,
        path,
        1 / path_chance as scale
    from {{ ref('int_routing_shares') }}
    union all
    select distinct
        _cell_id,
        '' as unlogged_plan,
        unnest(['', path]) as path,
        1.0::double as scale
    from steps
),

terms as (
    select
        steps._cell_id,
        steps.policy,
        steps.fold,
        scales.unlogged_plan,
        scales.path,
        scales.scale,
        unnest({{ terms_of_decisions() }}, recursive := true)
    from steps
    inner join scales on steps._cell_id = scales._cell_id and scales.path = ''
    where steps.step = 1
    union all
    select
        steps._cell_id,
        steps.policy,
        steps.fold,
        scales.unlogged_plan,
        scales.path,
        scales.scale,
        unnest({{ terms_of_steps() }}, recursive := true)
    from steps
    inner join scales on steps._cell_id = scales._cell_id and steps.path = scales.path
)

select
    _cell_id,
    policy,
    fold,
    unlogged_plan,
    path,
    name,
    sum(scale * success) as success,
    sum(scale * capped_cost) as capped_cost,
    sum(scale * decisions) as decisions,
    sum(scale * known_decisions) as known_decisions
from terms
group by _cell_id, policy, fold, unlogged_plan, path, name
