{#- Tasks, and what solved them how often. -#}


{#- The runs of each task that name a solution, by day, solution, repository and task type. -#}
{% macro solved_tasks(executions, days) -%}
    select
        date,
        solution_summary,
        repo,
        task_type,
        _task_text_id,
        any_value(_solution_text_id) as _solution_text_id,
        count(*) as usage_count,
        count(*) filter (success) as success_count,
        sum(quality_score)::bigint as quality_sum,
        count(quality_score) as quality_known_count,
        min(timestamp) as first_seen,
        max(timestamp) as last_seen
    from {{ executions }}
    where date in (select bucket from {{ days }})
    group by date, solution_summary, repo, task_type, _task_text_id
{%- endmacro %}


{#- The sums of each task type of the patterns; of the changed groups where the model is incremental. -#}
{% macro task_types_of_patterns(days, changed_groups) -%}
    select
        _pattern_id,
        task_type,
        any_value(solution_summary) as solution_summary,
        any_value(repo) as repo,
        sum(usage_count)::bigint as usage_count,
        sum(success_count)::bigint as success_count,
        sum(quality_sum)::bigint as quality_sum,
        sum(quality_known_count)::bigint as quality_known_count,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from {{ days }}
    {% if is_incremental() %}
    where _pattern_id in (select _pattern_id from {{ changed_groups }})
    {% endif %}
    group by _pattern_id, task_type
{%- endmacro %}
