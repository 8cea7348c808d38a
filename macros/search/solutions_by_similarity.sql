{#-
  The query behind similar_solutions and solutions_of_similar_errors: the texts nearest to the vector,
  the tasks that have them (a task's own text, or that of an error it failed with), and what solved
  those tasks.
  text_id: the column of fct_executions whose texts are compared.
-#}
{% macro solutions_by_similarity(executions, text_embeddings, text_clusters, text_id) -%}
with

{{ wanted_executions(executions, {'repo': 'wanted_repo'}) }},

{{ ranked_texts(text_embeddings, text_id, var('solution_search_texts')) }},

{{ executions_of_near_tasks(text_clusters, text_id) }},

solutions as (
    select
        cluster_id,
        arg_max(executions, (similarity, timestamp, _load_seq)) filter (success) as nearest,
        max(similarity) filter (success) as similarity,
        count(*) as execution_count,
        count(*) filter (success) as success_count,
        avg(quality_score) filter (success) as avg_quality,
        count(quality_score) filter (success) as quality_known_count,
        list_sort(list(distinct repo)) as repos,
        list_sort(list(distinct task_type)) as task_types,
        max(timestamp) as last_seen
    from executions
    group by cluster_id
    having bool_or(success)
),

{{ rates_by_task(
    ['cluster_id'], figures='solutions', executions='executions', successes='success_count',
    trials='execution_count', every_task=true
) }},

{{ tiers_of_groups('cluster_id', 'executions', of_one_task=false) }}

select
    nearest.solution_summary,
    -- Each task is one trial, so that many runs of one task say no more than it does.
    similarity
    * {{ wilson_lower('success_count / execution_count * task_count', 'task_count') }} as score,
    similarity,
    {{ similarity_strength() }},
    execution_count,
    success_count,
    {{ rate_over_tasks('success_rate', 'rates', 'success_count', 'execution_count') }},
    tiers_of_groups.by_tier,
    avg_quality,
    quality_known_count,
    repos,
    task_types,
    last_seen,
    nearest.task_id,
    nearest.task_description,
    rates.cluster_id
from rates
inner join tiers_of_groups
    on rates.cluster_id = tiers_of_groups.cluster_id
order by score desc, rates.cluster_id
limit at_most
{%- endmacro %}
