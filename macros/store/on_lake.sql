{#- Whether the target is a lake. Only the macros of this folder ask; what they are for is the same on both. -#}
{% macro on_lake() -%}
    {{ return(target.name == 'lake') }}
{%- endmacro %}
