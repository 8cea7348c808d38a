{#- CTE `runs`: how often each member of these groups executed a task in a stratum, by range; with no
    task all that was executed once. The executions are read once for all groups. -#}
{% macro runs_of_tasks(groups) -%}
runs_of_groups as (
    select
        time_range,
        {% for expression in groups.values() %}
        {{ expression }} as name_{{ loop.index }},
        grouping({{ expression }}) as is_other_{{ loop.index }},
        {% endfor %}
        stratum,
        any_value(task_type) as task_type,
        task,
        count(*) as trials,
        count(*) filter (success) as successes
    from (
        select
            *,
            hash(model_tier, task_type) as stratum,
            case
                when _task_text_id in (select _task_text_id from {{ ref('int_repeated_tasks') }})
                    then _task_text_id
            end as task
        from {{ ref('int_executions_by_range') }}
    )
    group by grouping sets (
        {% for expression in groups.values() %}
        (time_range, stratum, task, {{ expression }}){{ ',' if not loop.last }}
        {% endfor %}
    )
),

runs as (
    select
        * exclude ({% for _ in groups %}name_{{ loop.index }}, is_other_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}),
        case
            {% for dimension in groups %}
            when is_other_{{ loop.index }} = 0 then '{{ dimension }}'
            {% endfor %}
        end as dimension,
        coalesce({% for _ in groups %}name_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}) as name
    from runs_of_groups
)
{%- endmacro %}
