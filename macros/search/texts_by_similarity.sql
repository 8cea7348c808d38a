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

texts as (
    select
        nearest.text_id,
        any_value(nearest.similarity) as similarity,
        arg_max(wanted, (wanted.success, wanted.timestamp, wanted._load_seq)) as representative,
        count(*) as execution_count,
        count(*) filter (wanted.success) as success_count,
        -- Not histogram(), of which DuckDB makes joins that take 4 ms, however few the rows are.
        list_aggregate(list(wanted.model_tier), 'histogram') as tiers,
        list_aggregate(list(wanted.model_tier) filter (wanted.success), 'histogram')
            as tiers_of_successes,
        arg_max(
            wanted.solution_summary,
            (coalesce(wanted.quality_score, -1), wanted.timestamp, wanted._load_seq)
        ) filter (wanted.success and {{ has_solution() }}) as best_solution
    from nearest
    inner join wanted
        on nearest.text_id = wanted._task_text_id
    group by nearest.text_id
)

select
    representative.task_id,
    representative.timestamp,
    representative.task_type,
    representative.repo,
    representative.model_tier,
    representative.pool_type,
    representative.success,
    representative.duration_seconds,
    representative.quality_score,
    representative.task_description,
    representative.solution_summary,
    similarity,
    {{ similarity_strength() }},
    execution_count,
    success_count,
    {{ rate_columns('success_rate', 'success_count', 'execution_count') }},
    tiers,
    tiers_of_successes,
    best_solution,
    text_id
from texts
order by similarity desc, text_id
{%- endmacro %}
