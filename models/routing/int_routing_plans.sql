-- One row is a cell and a policy, with the plan that the policy has for the cell's tasks.
with

policies as (
    select * from {{ ref('routing_policies') }}
),

cells as (
    select distinct
        _cell_id,
        repo,
        task_type,
        complexity_band
    from {{ ref('int_routing_sums') }}
)

select
    cells._cell_id,
    any_value(cells.repo) as repo,
    any_value(cells.task_type) as task_type,
    any_value(cells.complexity_band) as complexity_band,
    policies.policy,
    -- The most specific line counts.
    arg_max(policies.plan, (
        policies.repo is not null,
        policies.task_type is not null,
        policies.complexity_band is not null
    )) as plan
from cells
inner join policies
    on
        coalesce(cells.repo = policies.repo, true)
        and coalesce(cells.task_type = policies.task_type, true)
        and coalesce(cells.complexity_band = policies.complexity_band, true)
group by cells._cell_id, policies.policy
