{#- Not adapter.get_relation: it opens a transaction, and the statements here have their own. -#}
{% macro is_built(table) %}
    {{ return(run_query(
        "from duckdb_tables() where database_name = " ~ sql_text(target.database) ~ " and schema_name = "
        ~ sql_text(target.schema) ~ " and table_name = " ~ sql_text(table)
    ).rows | length > 0) }}
{% endmacro %}
