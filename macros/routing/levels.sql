{#- The levels of scores: a cell, a repository, everything. -#}


{#- The groups of at_each_level, and beside them such columns. -#}
{% macro group_at_each_level(columns) -%}
    group by {{ columns }}, rollup(repo, (task_type, complexity_band))
{%- endmacro %}


{#- Which of those groups a row is. -#}
{% macro level_of_group() -%}
    case
        when grouping(repo) = 1 then 'everything'
        when grouping(task_type) = 1 then 'repository'
        else 'cell'
    end
{%- endmacro %}


{#- Whether two rows are of one cell, repository or of everything, and of one policy. -#}
{% macro same_unit(one, other) -%}
    {{ one }}.level = {{ other }}.level
    and {{ one }}.policy = {{ other }}.policy
    {% for column in ['repo', 'task_type', 'complexity_band'] %}
    and {{ one }}.{{ column }} is not distinct from {{ other }}.{{ column }}
    {% endfor %}
{%- endmacro %}
