{#- The names of sums of decisions by path. -#}


{#- The names of those sums that are added up over texts. -#}
{% macro path_sum_columns() %}
    {{ return([
        'supported_count', 'inverse_chances', 'run_count', 'success_count', 'known_count',
        'known_success_count', 'cost', 'capped_cost', 'capped_cost_squares', 'success_capped_cost',
        'weight', 'success_weight', 'unknown_weight', 'unknown_success_weight', 'cost_weight',
        'capped_cost_weight',
    ]) }}
{% endmacro %}


{#- The names of those that the log is checked by. -#}
{% macro drawn_sum_columns() %}
    {{ return(['drawable_count', 'drawn_count', 'inverse_plan_chances', 'drawn_inverse_chances']) }}
{% endmacro %}


{#- The sums whose squares and products over texts errors are made of. -#}
{% macro squared_sums() %}
    {{ return([
        'weight', 'success_weight', 'unknown_weight', 'unknown_success_weight', 'capped_cost_weight',
    ]) }}
{% endmacro %}


{#- The sums that values are linear in, as rows: name and amount, without those that are 0. -#}
{% macro amounts(names) -%}
    unnest(list_filter([
        {% for name in names %}
        {'name': '{{ name }}', 'amount': {{ name }}::double},
        {% endfor %}
    ], lambda each: each.amount <> 0), recursive := true)
{%- endmacro %}
