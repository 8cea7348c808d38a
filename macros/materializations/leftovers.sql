{#- A Python model that is incremental leaves its rows of each run behind in a table. -#}
{% macro drop_leftover_tables() %}
    {%- if execute -%}
        {%- set leftovers = run_query(
            "select table_name from duckdb_tables() where database_name = '" ~ target.database
            ~ "' and schema_name = '" ~ target.schema ~ "' and table_name similar to '.+__dbt_tmp[0-9]+'"
        ).columns[0].values() -%}
        {%- for name in leftovers %}
            drop table {{ api.Relation.create(database=target.database, schema=target.schema, identifier=name) }};
        {%- endfor %}
    {%- endif -%}
{% endmacro %}
