{#- The rules of `execution_rules` in dbt_project.yml that rows of the model break, of those that
    reject or those that warn, with how many rows break each. As in a CHECK, unknown holds. -#}
{% test follows_rules(model, on_break) %}
    {{ config(fail_calc='coalesce(sum(broken_rows), 0)') }}
    {%- set claims = {} -%}
    {%- for name, rule in var('execution_rules').items() if rule.on_break == on_break -%}
        {%- do claims.update({name: rule.holds}) -%}
    {%- endfor -%}
    {%- if not claims -%}
        {{ exceptions.raise_compiler_error("execution_rules has no rule with on_break: " ~ on_break) }}
    {%- endif -%}
    {{ broken_claims(model, claims, if_unknown='true') }}
{% endtest %}
