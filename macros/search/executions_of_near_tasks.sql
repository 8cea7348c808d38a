{#- CTEs up to `executions`: those that name a solution, of the tasks whose texts, or errors, are near
    enough. -#}
{% macro executions_of_near_tasks(text_clusters, text_id) -%}
tasks as (
    select
        wanted._task_text_id,
        max(ranked.similarity) as similarity
    from ranked
    inner join wanted
        on ranked.text_id = wanted.{{ text_id }}
    where {{ is_near_enough() }}
    group by wanted._task_text_id
),

executions as (
    select
        wanted.*,
        tasks.similarity,
        coalesce(clusters.cluster_id, wanted._solution_text_id) as cluster_id
    from tasks
    inner join wanted
        on tasks._task_text_id = wanted._task_text_id
    left join {{ text_clusters }} as clusters
        on wanted._solution_text_id = clusters.text_id and clusters.kind = 'solution'
    where wanted._solution_text_id is not null
)
{%- endmacro %}
