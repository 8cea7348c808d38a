{#- CTE `runs`: how often each member of these groups executed a task in a stratum, by range; with no
    task all that was executed once. -#}
{% macro runs_of_tasks(groups) -%}
executions as not materialized (
    select
        *,
        hash(model_tier, task_type) as stratum,
        case
            when _task_text_id in (select _task_text_id from {{ ref('int_repeated_tasks') }})
                then _task_text_id
        end as task
    from {{ ref('int_executions_by_range') }}
),

runs as (
    {% for dimension, expression in groups.items() %}
    select
        time_range,
        '{{ dimension }}' as dimension,
        {{ expression }} as name,
        stratum,
        any_value(task_type) as task_type,
        task,
        count(*) as trials,
        count(*) filter (success) as successes
    from executions
    where {{ expression }} is not null
    group by time_range, {{ expression }}, stratum, task
    {{ 'union all' if not loop.last }}
    {% endfor %}
)
{%- endmacro %}
