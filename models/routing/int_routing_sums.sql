-- One row is a cell, fold and path that a decision could have taken there, with its weighted sums.
{{ config(materialized=whole_table()) }}

with

paths as (
    select * from {{ ref('int_routing_paths') }}
),

shares as (
    select * from {{ ref('int_routing_shares') }}
),

cells as (
    select
        _cell_id,
        any_value(repo) as repo,
        any_value(task_type) as task_type,
        any_value(complexity_band) as complexity_band
    from paths
    group by _cell_id
),

estimated_paths as (
    select distinct
        _cell_id,
        path,
        path_chance
    from shares
    where path <> ''
),

weighted_paths as (
    select
        paths.*,
        paths.unlogged_plan <> '' as is_estimated,
        coalesce(1 / shares.path_chance, 1) as scale
    from paths
    left join shares using (_cell_id, unlogged_plan, path)
    where paths.unlogged_plan = '' or shares.share is not null
),

-- A decision without recorded chances could have taken each path that others of its cell took.
estimated_decisions as (
    select
        weighted_paths._cell_id,
        weighted_paths.fold,
        estimated_paths.path,
        false as is_estimated,
        sum(weighted_paths.run_count)::bigint as supported_count,
        sum(weighted_paths.run_count / estimated_paths.path_chance) as inverse_chances
    from weighted_paths
    inner join estimated_paths using (_cell_id)
    where weighted_paths.is_estimated and weighted_paths.path = ''
    group by weighted_paths._cell_id, weighted_paths.fold, estimated_paths.path
),

all_paths as (
    select * from weighted_paths
    union all by name
    select * from estimated_decisions
),

sums as (
    select
        _cell_id,
        fold,
        path,
        {{ weighted_sums() }}
    from all_paths
    group by _cell_id, fold, path
)

select
    cells.repo,
    cells.task_type,
    cells.complexity_band,
    sums.*
from sums
inner join cells using (_cell_id)
