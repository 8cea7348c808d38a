{#- How a table is materialized that each build computes whole. -#}
{% macro whole_table() -%}
    {{ return('lake_table' if on_lake() else 'table') }}
{%- endmacro %}


{#- A table in a lake, written only where its rows are other than those that stand: each version of it would stay
    until it expires. -#}
{% materialization lake_table, adapter='duckdb' %}
    {%- set standing = load_cached_relation(this) -%}
    {%- set relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('new_rows') %}
        create or replace temp table rows_of_table as ({{ sql }})
    {% endcall %}
    {%- if standing is not none and standing.is_table and not flags.FULL_REFRESH and is_as_it_was(standing) %}
        {%- do store_raw_result(name='main', message='STANDS', code='STANDS', rows_affected='0') %}
    {%- else %}
        {%- if standing is not none %}{%- do adapter.drop_relation(standing) %}{%- endif %}
        {% call statement('main') %}
            {{ create_table_as(False, relation, 'select * from temp.main.rows_of_table') }}
        {% endcall %}
    {%- endif %}
    {%- do persist_docs(relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}


{#- Whether a table has the columns and rows of the temporary table rows_of_table. -#}
{% macro is_as_it_was(relation) %}
    {%- set columns = [] -%}
    {%- for name in [relation | string, 'temp.main.rows_of_table'] -%}
        {%- set described = run_query('describe ' ~ name).columns -%}
        {%- do columns.append((described[0].values() + described[1].values()) | join(' ')) -%}
    {%- endfor -%}
    {%- if columns[0] != columns[1] -%}{{ return(false) }}{%- endif -%}
    {%- set differing = run_query(
        'select count(*) from (('
        ~ 'from ' ~ relation ~ ' except all from temp.main.rows_of_table) union all ('
        ~ 'from temp.main.rows_of_table except all from ' ~ relation ~ '))'
    ).columns[0].values() | first -%}
    {{ return(differing == 0) }}
{% endmacro %}
