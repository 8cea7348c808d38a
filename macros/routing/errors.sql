{#- Errors of scores: a task text is the unit, in whichever cells it is. -#}


{#- Products of scores for the cell, its repository and everything: a text in two cells counts for both
    together. -#}
{% macro products_at_each_level(rows) -%}
    {% for level, condition, columns in [
        ('cell', 'is_one_cell', 'repo, task_type, complexity_band'),
        ('repository', 'shared_repo is not null', 'repo'),
        ('everything', 'true', ''),
    ] %}
    select
        '{{ level }}' as level,
        {% for column in ['repo', 'task_type', 'complexity_band'] %}
        {{ column if column in columns else 'null' }} as {{ column }},
        {% endfor %}
        policy,
        baseline,
        {% for one, other in measure_pairs() %}
        sum({{ one }}_{{ other }}) as {{ one }}_{{ other }}{{ ',' if not loop.last }}
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


{#- Sums over texts of squared differences from the means: of success, of cost, and of both. Where costs
    are unknown, those of cost are as if the known decisions stood for all. -#}
{% macro deviations() -%}
    success_success - 2 * success * success_decisions + pow(success, 2) * decisions_decisions
        as success_deviation,
    pow(decision_count / nullif(known_count, 0), 2) * (
        capped_cost_capped_cost - 2 * capped_cost * capped_cost_known_decisions
        + pow(capped_cost, 2) * known_decisions_known_decisions
    ) as cost_deviation,
    decision_count / nullif(known_count, 0) * (
        success_capped_cost - success * capped_cost_decisions
        - capped_cost * success_known_decisions + success * capped_cost * decisions_known_decisions
    ) as product_deviation
{%- endmacro %}
