{#- SQL for the rules of `execution_rules`, or of others in dbt_project.yml, that are of one kind,
    reject or warn. -#}


{#- True where no such rule is broken; unknown values break none. -#}
{% macro holds_every_rule(on_break, rules='execution_rules') -%}
    {%- set conditions = [] -%}
    {%- for rule in var(rules).values() if rule.on_break == on_break -%}
        {%- do conditions.append('coalesce(' ~ rule.holds ~ ', true)') -%}
    {%- endfor -%}
    {{ conditions | join('\n    and ') }}
{%- endmacro %}


{#- The names of the rules that the row breaks, VARCHAR[], in the order of their definition. -#}
{% macro broken_rules(on_break, rules='execution_rules') -%}
    {%- set names = [] -%}
    {%- for name, rule in var(rules).items() if rule.on_break == on_break -%}
        {%- do names.append('case when not (' ~ rule.holds ~ ") then '" ~ name ~ "' end") -%}
    {%- endfor -%}
    list_filter([
        {{ names | join(',\n        ') }}
    ], lambda name: name is not null)
{%- endmacro %}


{#- When a version's execution started; NULL where what it says cannot be right. -#}
{% macro real_start() -%}
    {%- set rules = var('execution_rules') -%}
    case
        when
            {{ rules['timestamp_missing']['holds'] }}
            and {{ rules['timestamp_in_the_future']['holds'] }}
            then timestamp
    end
{%- endmacro %}


{#- The time by which a version's age is known: that of its start, where it can be right, else of its load. -#}
{% macro version_time() -%}
    coalesce({{ real_start() }}, _loaded_at)
{%- endmacro %}
