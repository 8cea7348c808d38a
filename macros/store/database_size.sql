{#- A query of one column, `size_bytes`: what the database takes just now. -#}
{% macro database_size() -%}
    {%- if on_lake() -%}
    select sum(file_size_bytes + delete_file_size_bytes)::bigint as size_bytes
    from ducklake_table_info('{{ target.database }}')
    {%- else -%}
    select any_value(block_size * total_blocks) as size_bytes
    from pragma_database_size()
    where database_name = current_database()
    {%- endif -%}
{%- endmacro %}
