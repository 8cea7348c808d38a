{#- A setting of the package, by the variable that it reads; a test holds the defaults equal. -#}
{% macro setting(name, default) -%}
    {{ env_var('ORB_LEARNING__' ~ name | upper, default) }}
{%- endmacro %}
