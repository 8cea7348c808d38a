{#- Errors of scores: a task text is the unit, in whichever cells it is. -#}


{#- Products of scores for the cell, its repository and everything: a text in two cells counts for both
    together. -#}
{% macro products_at_each_level(rows) -%}
    {% for level, condition, columns in [
        ('cell', 'is_one_cell', 'repo, task_type, complexity_band'),
        ('repository', 'repo is not null', 'repo'),
        ('everything', 'true', ''),
    ] %}
    select
        '{{ level }}' as level,
        {% for column in ['repo', 'task_type', 'complexity_band'] %}
        {{ column if column in columns else 'null' }} as {{ column }},
        {% endfor %}
        policy,
        baseline,
        {% for column in product_columns() %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ rows }}
    where {{ condition }}
    group by policy, baseline{{ ', ' ~ columns if columns }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{#- Of the CTE cell_values: how many texts each policy is valued by. -#}
{% macro tasks_at_each_level() -%}
    select
        level,
        repo,
        task_type,
        complexity_band,
        policy,
        sum(task_count)::bigint as task_count
    from (
        select
            {{ level_of_group() }} as level,
            repo,
            task_type,
            complexity_band,
            policy,
            group_id,
            any_value(text_groups.task_count) as task_count
        from (
            select
                row_number() over () as group_id,
                task_count,
                unnest(cells, recursive := true)
            from {{ ref('int_routing_text_groups') }}
        ) as text_groups
        inner join cell_values using (_cell_id)
        where
            unlogged_plan = ''
            or (_cell_id, unlogged_plan) in (
                select (_cell_id, unlogged_plan) from {{ ref('int_routing_shares') }}
            )
        {{ group_at_each_level('policy, group_id') }}
    ) as counted_groups
    group by all
{%- endmacro %}
