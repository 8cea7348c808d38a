-- One row is a cell, fold and path, with what its attempts come to by the decisions of other folds.
--
-- A cell's mean is drawn towards its repository's by a mass of 10 attempts, and that one towards
-- the mean of all by 20.
{%- set outcomes = {
    'success': ['success_count', 'run_count'],
    'cost': ['cost', 'known_count'],
    'capped_cost': ['capped_cost', 'known_count'],
} %}
{%- set scopes = {'all': 'true', 'repo': 'repo', 'cell': '_cell_id'} %}
with

paths as (
    select distinct unnest({{ prefixes_of('plan') }}) as path
    from {{ ref('routing_policies') }}
    where plan <> 'logged'
),

cells as (
    select distinct
        _cell_id,
        repo,
        unnest(range(5))::tinyint as fold
    from {{ ref('int_routing_sums') }}
),

-- Also where a cell has not seen a path: its mean is then the repository's, or that of all.
grid as (
    select
        cells._cell_id,
        cells.repo,
        cells.fold,
        {% for name in ['success_count', 'run_count', 'known_count', 'cost', 'capped_cost'] %}
        coalesce(sums.{{ name }}, 0) as {{ name }},
        {% endfor %}
        paths.path
    from cells
    cross join paths
    left join {{ ref('int_routing_sums') }} as sums
        on cells._cell_id = sums._cell_id and cells.fold = sums.fold and paths.path = sums.path
),

others as (
    select
        _cell_id,
        fold,
        {% for outcome, (total, count) in outcomes.items() %}
        {% for scope, columns in scopes.items() %}
        {{ in_other_folds(total, columns) }} as {{ outcome }}_{{ scope }}_total,
        {{ in_other_folds(count, columns) }} as {{ outcome }}_{{ scope }}_count,
        {% endfor %}
        {% endfor %}
        path
    from grid
),

means as (
    select
        (success_all_total + 1) / (success_all_count + 2) as success_all,
        cost_all_total / greatest(cost_all_count, 1) as cost_all,
        capped_cost_all_total / greatest(capped_cost_all_count, 1) as capped_cost_all,
        {% for outcome in outcomes %}
        {{ drawn_mean(outcome ~ '_repo_total', outcome ~ '_repo_count', outcome ~ '_all', 20) }}
            as {{ outcome }}_repo,
        {% endfor %}
        others.*
    from others
)

select
    _cell_id,
    fold,
    {% for outcome in outcomes %}
    {{ drawn_mean(outcome ~ '_cell_total', outcome ~ '_cell_count', outcome ~ '_repo', 10) }}
        as {{ outcome }},
    {% endfor %}
    path
from means
