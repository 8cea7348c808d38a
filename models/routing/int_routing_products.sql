-- One row is two cells of a repository and a policy, alone or against the baseline: its products.
--
-- Over the texts that are in both cells; mostly the two are one.
with

moments as (
    select
        fold,
        _cell_id,
        unlogged_plan,
        path,
        name,
        other_cell_id,
        other_unlogged_plan,
        other_path,
        other_name,
        (_cell_id, unlogged_plan, path, name)
        = (other_cell_id, other_unlogged_plan, other_path, other_name) as is_square,
        sum(product) as product
    from {{ ref('int_routing_moments') }}
    group by all
),

{{ measure_ctes() }}

select
    moments._cell_id,
    moments.other_cell_id,
    one.policy,
    {% for one, other in measure_pairs() %}
    {{ product_of(one, other) }} as {{ one }}_{{ other }},
    {% endfor %}
    {% for measure in ['success', 'capped_cost'] %}
    {{ size_of(measure) }} as {{ measure }}_size,
    {% endfor %}
    one.baseline
from moments
inner join measures as one
    on
        moments._cell_id = one._cell_id
        and moments.fold = one.fold
        and moments.unlogged_plan = one.unlogged_plan
        and moments.path = one.path
        and moments.name = one.name
inner join measures as other
    on
        moments.other_cell_id = other._cell_id
        and moments.fold = other.fold
        and moments.other_unlogged_plan = other.unlogged_plan
        and moments.other_path = other.path
        and moments.other_name = other.name
        and one.policy = other.policy
        and one.baseline = other.baseline
group by moments._cell_id, moments.other_cell_id, one.policy, one.baseline
