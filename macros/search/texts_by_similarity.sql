{#- The query behind the table functions: among all texts, or those in the parameter wanted_texts. -#}
{% macro texts_by_similarity(executions, text_embeddings, among=false) -%}
with

{{ wanted_executions(
    executions, {'repo': 'wanted_repo', 'model_tier': 'wanted_tier', 'success': 'wanted_success'}
) }},

{{ ranked_texts(text_embeddings, '_task_text_id', 'at_most', among) }},

-- The threshold after the limit: a filter on the similarity would have it computed twice.
nearest as (
    select * from ranked
    where {{ is_near_enough() }}
),

runs as (
    select
        nearest.text_id,
        nearest.similarity,
        wanted.*
    from nearest
    inner join wanted
        on nearest.text_id = wanted._task_text_id
),

texts as (
    select
        text_id,
        any_value(similarity) as similarity,
        arg_max(runs, (timestamp, _load_seq)) as latest,
        count(*) as execution_count,
        count(*) filter (success) as success_count,
        arg_max(
            solution_summary, (coalesce(quality_score, -1), timestamp, _load_seq)
        ) filter (success and {{ has_solution() }}) as best_solution
    from runs
    group by text_id
),

{{ tiers_of_groups('text_id', 'runs', of_one_task=true) }}

select
    texts.latest.task_description as task_description,
    texts.similarity,
    {{ similarity_strength() }},
    texts.execution_count,
    texts.success_count,
    {{ rate_columns('success_rate', 'texts.success_count', 'texts.execution_count') }},
    tiers_of_groups.by_tier,
    texts.best_solution,
    {
        {% for column in [
            'task_id', 'timestamp', 'task_type', 'repo', 'model_tier', 'pool_type', 'success',
            'duration_seconds', 'quality_score', 'actual_cost', 'solution_summary'
        ] -%}
        '{{ column }}': texts.latest.{{ column }}{{ ',' if not loop.last }}
        {% endfor -%}
    } as latest,
    texts.text_id
from texts
inner join tiers_of_groups
    on texts.text_id = tiers_of_groups.text_id
order by texts.similarity desc, texts.text_id
{%- endmacro %}
