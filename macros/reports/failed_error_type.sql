{#- The error type of a failure, NULL of a success. -#}
{% macro failed_error_type() -%}
    case when not success then coalesce(error_type, 'unknown') end
{%- endmacro %}
