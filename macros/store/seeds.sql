{#- A seed is loaded anew by every build; in a lake, whose every commit stays for a while, only where its file is
    another than that which was loaded last. -#}


{#- The hash of a seed's file and of the types that it is read as. -#}
{% macro seed_hash(model) -%}
    {{ return(local_md5(model.checksum.checksum ~ (model.config.column_types | tojson))) }}
{%- endmacro %}


{#- Overrides dbt's macro of the same name. -#}
{% macro duckdb__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {%- if on_lake() and not full_refresh and recorded_definition_hash(model.alias) == seed_hash(model) -%}
        {%- do graph.nodes[model.unique_id].update({'stands': true}) -%}
        {{ return('') }}
    {%- endif -%}
    {{ return(default__reset_csv_table(model, full_refresh, old_relation, agate_table)) }}
{% endmacro %}


{#- Overrides dbt-duckdb's macro of the same name, which has the same COPY. -#}
{% macro duckdb__load_csv_rows(model, agate_table) %}
    {%- if graph.nodes[model.unique_id].stands -%}{{ return('select 1') }}{%- endif -%}
    {%- if on_lake() -%}
        {%- do adapter.add_query("delete from " ~ build_state() ~ " where model = '" ~ model.alias ~ "'") -%}
        {%- do adapter.add_query(
            "insert into " ~ build_state() ~ " (model, definition_hash) values ('" ~ model.alias ~ "', '"
            ~ seed_hash(model) ~ "')"
        ) -%}
    {%- endif -%}
    {%- set sql = "copy " ~ this ~ " from " ~ sql_text(adapter.get_seed_file_path(model)) ~ " (format csv, header true)" -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {{ return(sql) }}
{% endmacro %}
