{#- Whether an execution names a solution. -#}
{% macro has_solution() -%}
    trim(coalesce(solution_summary, '')) <> ''
{%- endmacro %}


{#- Days of the executions with a solution, in the patterns' window. -#}
{% macro solution_day_buckets() -%}
    {{ execution_buckets('day', var('solution_window_days'), has_solution()) }}
{%- endmacro %}
