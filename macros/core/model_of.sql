{#- The model that an execution was done by, as its metadata names it; NULL where it does not. -#}
{% macro model_of(metadata) -%}
    nullif(trim({{ metadata }} ->> '$.model'), '')
{%- endmacro %}
