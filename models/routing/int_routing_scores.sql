-- One row is a cell, repository or everything and a policy: its scores, against the baseline too.
--
-- Against the baseline, the scores are differences of the same texts. It is a table, small and made
-- anew by each build, so that no report works it out again.
{{ config(materialized=whole_table()) }}

with

cell_values as (
    select
        *,
        decision_count - supported_count as unsupported_count
    from {{ ref('int_routing_cell_values') }}
),

cell_scores as (
    select
        *,
        '' as baseline
    from cell_values
    union all by name
    {{ cell_gains() }}
),

scores as (
    {{ at_each_level('cell_scores', added_scores()) }}
),

-- Those between repositories are of no cell, and count for everything alone.
cell_products as (
    select
        products.* exclude (_cell_id, other_cell_id),
        products._cell_id = products.other_cell_id as is_one_cell,
        cells.repo,
        cells.task_type,
        cells.complexity_band
    from {{ ref('int_routing_products') }} as products
    inner join cell_values as cells using (_cell_id, policy)
    inner join cell_values as other_cells
        on products.other_cell_id = other_cells._cell_id and products.policy = other_cells.policy
    union all by name
    select
        *,
        false as is_one_cell
    from {{ ref('int_routing_shared_products') }}
),

products as (
    {{ products_at_each_level('cell_products') }}
),

task_counts as (
    {{ tasks_at_each_level() }}
),

means as (
    select
        scores.* replace (
            scores.success / scores.decision_count as success,
            scores.capped_cost / nullif(scores.known_count, 0) as capped_cost,
            scores.cost / nullif(scores.known_count, 0) as cost,
            scores.later_success / scores.decision_count as later_success,
            scores.later_capped_cost / nullif(scores.known_count, 0) as later_capped_cost
        ),
        task_counts.task_count,
        products.* exclude (level, repo, task_type, complexity_band, policy, baseline)
    from scores
    inner join products
        on
            scores.baseline = products.baseline
            and {{ same_unit('scores', 'products') }}
    inner join task_counts on {{ same_unit('scores', 'task_counts') }}
)

select
    * exclude ({{ product_columns() | join(', ') }}), -- noqa: AM04
    decisions_decisions as decision_squares,
    {{ deviations() }}
from means
