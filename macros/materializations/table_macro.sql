{#- A model that is a DuckDB table macro: a query with the parameters that `meta.parameters` names.
    (dbt-duckdb's own materialization takes them from a key that dbt calls deprecated.) DuckDB keeps a macro's
    text as it is, so it names no catalog: that is the file's name, and a copy has another. -#}
{% materialization table_macro, adapter='duckdb' %}
    {{ run_hooks(pre_hooks) }}
    {%- set relation = this.incorporate(type='view') -%}
    {%- set hash = view_hash(sql) if on_lake() else none %}
    {%- if hash and not flags.FULL_REFRESH and standing_macros().get(this.identifier) == hash %}
        {%- do store_raw_result(name='main', message='STANDS', code='STANDS', rows_affected='0') %}
    {%- else %}
        {% call statement('main') %}
            {{ create_table_macro(
                relation, config.get('meta').parameters, sql | replace(adapter.quote(this.database) ~ '.', '')
            ) }}
            {%- if config.persist_relation_docs() %}{{ comment_on_table_macro(relation, model.description) }}{% endif %}
            {% if hash %}{{ record_view(hash) }}{% endif %}
        {% endcall %}
    {%- endif %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
