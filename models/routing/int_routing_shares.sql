-- One row is a cell, a plan that decisions without recorded chances took there, and a path of it.
--
-- The cell's share of a plan stands for its chance. It is right where the cell holds all that the
-- router looked at. A plan that was taken too seldom has no rows, nor has a cell with one plan. A
-- tier that nobody recorded is no plan: its decisions tell no chance, and are counted as excluded.
with

paths as (
    select * from {{ ref('int_routing_paths') }}
),

plans as (
    select
        _cell_id,
        unlogged_plan,
        sum(run_count) as decision_count,
        count(*) over (partition by _cell_id) as plan_count
    from paths
    where unlogged_plan not in ('', 'unknown') and path = ''
    group by _cell_id, unlogged_plan
    having sum(run_count) >= {{ var('routing_least_share_count') }}
),

plan_paths as (
    select
        _cell_id,
        unlogged_plan,
        decision_count / sum(decision_count) over (partition by _cell_id) as share,
        unnest([''] || {{ prefixes_of('unlogged_plan') }}) as path
    from plans
    where plan_count > 1
)

select
    _cell_id,
    unlogged_plan,
    path,
    share,
    -- Every plan has the empty path, so its chance is 1.
    sum(share) over (partition by _cell_id, path) as path_chance
from plan_paths
