{#- A model that is a DuckDB table macro: a query with the parameters that `meta.parameters` names.
    (dbt-duckdb's own materialization takes them from a key that dbt calls deprecated.) DuckDB keeps a macro's
    text as it is, so it names no catalog: that is the file's name, and a copy has another. -#}
{% materialization table_macro, adapter='duckdb' %}
    {{ run_hooks(pre_hooks) }}
    {%- set relation = this.incorporate(type='view') -%}
    {% call statement('main') %}
        create or replace macro {{ relation }}({{ config.get('meta').parameters | join(', ') }}) as table (
            {{ sql | replace(adapter.quote(this.database) ~ '.', '') }}
        )
    {% endcall %}
    {%- if config.persist_relation_docs() and model.description %}
    {% call statement('comment') %}
        comment on macro table {{ relation }} is '{{ model.description | replace("'", "''") }}'
    {% endcall %}
    {%- endif %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
