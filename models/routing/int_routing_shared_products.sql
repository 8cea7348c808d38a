-- One row is a policy, alone or against the baseline: its scores' products between repositories.
--
-- Over the texts that are in several. By each text's scores and not by pairs of cells: a text in a
-- thousand repositories would have a million.
with

{{ measure_ctes() }},

texts as (
    select * from {{ ref('int_routing_texts') }}
),

shared_texts as (
    select _task_text_id
    from texts
    group by _task_text_id
    having min(repo) <> max(repo)
),

sums as (
    select
        _task_text_id,
        repo,
        _cell_id,
        fold,
        unlogged_plan,
        path,
        {{ amounts(squared_sums()) }}
    from texts
    where _task_text_id in (select _task_text_id from shared_texts)
),

valued_cells as (
    select distinct
        _cell_id,
        policy
    from {{ ref('int_routing_cell_values') }}
),

-- A text's score in a repository is the sum of those in its cells.
scores as (
    select
        sums._task_text_id,
        sums.repo,
        measures.policy,
        measures.baseline,
        {% for measure in ['success', 'capped_cost', 'decisions', 'known_decisions'] %}
        sum(sums.amount * measures.{{ measure }}) as {{ measure }},
        {% endfor %}
        sum(abs(sums.amount * measures.success)) as success_size,
        sum(abs(sums.amount * measures.capped_cost)) as capped_cost_size
    from sums
    inner join measures using (_cell_id, fold, unlogged_plan, path, name)
    inner join valued_cells using (_cell_id, policy)
    group by sums._task_text_id, sums.repo, measures.policy, measures.baseline
),

products_of_texts as (
    select
        policy,
        baseline,
        {% for one, other in measure_pairs() %}
        sum({{ one }}) * sum({{ other }}) - sum({{ one }} * {{ other }}) as {{ one }}_{{ other }},
        {% endfor %}
        pow(sum(success_size), 2) as success_size,
        pow(sum(capped_cost_size), 2) as capped_cost_size
    from scores
    group by policy, baseline, _task_text_id
)

select
    policy,
    {% for column in product_columns() %}
    sum({{ column }}) as {{ column }},
    {% endfor %}
    baseline
from products_of_texts
group by policy, baseline
