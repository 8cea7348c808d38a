{#- Rows that break a rule of the column that rejects (`execution_rules` in dbt_project.yml). -#}
{% test follows_rules(model, column_name) %}
    {%- set rules = var('execution_rules').items()
        | selectattr('1.column', 'equalto', column_name)
        | selectattr('1.on_break', 'equalto', 'reject') | list -%}
    {%- if execute and not rules -%}
        {{ exceptions.raise_compiler_error("execution_rules has no rule of " ~ column_name ~ " that rejects") }}
    {%- endif -%}
    {% for name, rule in rules %}
        select
            '{{ name }}' as broken_rule,
            *
        from {{ model }}
        where not ({{ rule.holds }})
        {{ 'union all' if not loop.last }}
    {% endfor %}
{% endtest %}
