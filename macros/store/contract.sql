{#- The columns of a table with a contract. A lake has no keys and CHECKs: the data tests of the same rules
    find what breaks one. Overrides dbt's macro of the same name. -#}
{% macro duckdb__get_table_columns_and_constraints() %}
    {%- if not on_lake() -%}{{ return(default__get_table_columns_and_constraints()) }}{%- endif -%}
    {%- set columns = [] -%}
    {%- for name, column in model.columns.items() -%}
        {%- set types = column.constraints | map(attribute='type') | map('string') | list -%}
        {%- set needed = 'not_null' in types or 'primary_key' in types -%}
        {%- do columns.append(adapter.quote(name) ~ ' ' ~ column.data_type ~ (' not null' if needed else '')) -%}
    {%- endfor -%}
    {{ return('(' ~ columns | join(', ') ~ ')') }}
{% endmacro %}
