{#- A view and its comments, replaced by one statement where they are not what they would be. (dbt's own makes
    another view each time, renames both, drops the old one and asks for the columns in between.) -#}
{% materialization view, adapter='duckdb' %}
    {%- set standing = load_cached_relation(this) -%}
    {%- set relation = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set hash = view_hash(sql) %}
    {%- if standing is not none and not flags.FULL_REFRESH and standing_views().get(this.identifier) == hash %}
        {%- do store_raw_result(name='main', message='STANDS', code='STANDS', rows_affected='0') %}
    {%- else %}
        {%- if standing is not none and not standing.is_view %}
            {%- do adapter.drop_relation(standing) %}
        {%- endif %}
        {% call statement('main') %}
            {{ get_create_view_as_sql(relation, sql) }}
            {{ view_comments(relation) }}
            {{ record_view(hash) }}
        {% endcall %}
    {%- endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}


{#- dbt-duckdb's, but replacing. -#}
{% macro duckdb__create_view_as(relation, sql) -%}
    {%- if config.get('contract').enforced %}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif %}
    create or replace view {{ relation }} as (
        {{ sql }}
    );
{%- endmacro %}


{% macro view_comments(relation) -%}
    {%- if config.persist_relation_docs() and model.description %}
    comment on view {{ relation }} is {{ duckdb_escape_comment(model.description) }};
    {%- endif %}
    {%- if config.persist_column_docs() and not on_lake() %}
    {%- for name, column in model.columns.items() if column.description %}
    comment on column {{ relation }}.{{ adapter.quote(name) }}
        is {{ duckdb_escape_comment(column.description) }};
    {%- endfor %}
    {%- endif %}
{%- endmacro %}
