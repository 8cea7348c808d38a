{#- Rows that break one rule, by its name in `execution_rules` (dbt_project.yml). -#}
{% test keeps_rule(model, rule) %}
    select * from {{ model }}
    where not ({{ var('execution_rules')[rule].holds }})
{% endtest %}
