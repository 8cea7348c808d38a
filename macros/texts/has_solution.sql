{#- Whether an execution names a solution. -#}
{% macro has_solution() -%}
    trim(coalesce(solution_summary, '')) <> ''
{%- endmacro %}
