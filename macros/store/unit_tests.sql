{#- A unit test's rows, actual and expected. The engine of a lake is an older one, whose last digits of a DOUBLE are not
    always those of the newer: there they are compared to 12 places. Overrides dbt's macro of the same name. -#}
{% macro duckdb__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) %}
    {%- if not on_lake() -%}
        {{ return(default__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names)) }}
    {%- endif -%}
    {%- set shown = [] -%}
    {%- for column in get_column_schema_from_query(main_sql) -%}
        {%- set name = adapter.quote(column.name) -%}
        {%- if name in expected_column_names or column.name in expected_column_names -%}
            {%- do shown.append('round(' ~ name ~ ', 12) as ' ~ name if column.dtype == 'DOUBLE' else name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set columns = shown | join(', ') -%}
    {{ return(
        'select ' ~ columns ~ ", 'actual' as actual_or_expected from (" ~ main_sql ~ ') as actual_rows '
        ~ 'union all by name select ' ~ columns ~ ", 'expected' as actual_or_expected from ("
        ~ expected_fixture_sql ~ ') as expected_rows'
    ) }}
{% endmacro %}
