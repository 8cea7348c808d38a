{#- The comments of a table. Each that is made is a version of a lake's schema, so there only those are made that are
    other than what stands. Overrides dbt's macro of the same name. -#}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) %}
    {%- if not on_lake() -%}
        {{ return(default__persist_docs(relation, model, for_relation, for_columns)) }}
    {%- endif -%}
    {%- set of_table = "where database_name = '" ~ relation.database ~ "' and schema_name = '" ~ relation.schema
        ~ "' and table_name = '" ~ relation.identifier ~ "'" -%}
    {%- set known = run_query(
        "select column_name, comment from duckdb_columns() " ~ of_table
        ~ " union all select '', comment from duckdb_tables() " ~ of_table
    ) -%}
    {%- set standing = dict(zip(known.columns[0].values(), known.columns[1].values())) -%}
    {%- if for_relation and config.persist_relation_docs() and model.description != standing.get('') -%}
        {%- do run_query(alter_relation_comment(relation, model.description)) -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() -%}
        {%- for name, column in model.columns.items()
            if column.description and name in standing and column.description != standing[name] -%}
            {%- do run_query(
                'comment on column ' ~ relation ~ '.' ~ adapter.quote(name) ~ ' is '
                ~ duckdb_escape_comment(column.description)
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
