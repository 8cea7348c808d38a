{#- The model that an execution was done by, as its metadata names it; NULL where it does not. -#}
{% macro model_of(metadata) -%}
    nullif(trim({{ metadata }} ->> '$.model'), '')
{%- endmacro %}


{#- Whether the time of an execution was assigned, not recorded: its metadata says so. -#}
{% macro is_time_assigned(metadata) -%}
    coalesce({{ metadata }} ->> '$.timestamp_assigned' = 'true', false)
{%- endmacro %}


{#- Of how many executions the time was assigned, not recorded: of when they were tells nothing. -#}
{% macro assigned_times() -%}
    count(*) filter (_is_time_assigned)
{%- endmacro %}
