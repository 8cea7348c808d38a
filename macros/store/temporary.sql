{#- Overrides dbt-duckdb's macros of the same names: on a lake, the rows that an incremental Python model leaves behind
    are in a table that is temporary, and no version of the lake. -#}


{#- The name of a temporary table; on a lake with its catalog. -#}
{% macro duckdb__make_temp_relation(base_relation, suffix) %}
    {{ return(base_relation.incorporate(path={
        'identifier': base_relation.identifier ~ suffix ~ py_current_timestring(),
        'schema': 'main' if on_lake() else none,
        'database': 'temp' if on_lake() else none,
    })) }}
{% endmacro %}


{#- The code that writes what a Python model returns. -#}
{% macro py_write_table(temporary, relation, compiled_code, partitioned_by=none, sorted_by=none) -%}
{{ compiled_code }}

def materialize(df, con):
    import pyarrow
    if isinstance(df, pyarrow.Table):
        # https://github.com/duckdb/duckdb/issues/6584
        import pyarrow.dataset
    tmp_name = '__dbt_python_model_df_{{ relation.identifier }}'
    con.register(tmp_name, df)
    con.execute(
        'create {{ "temp " if on_lake() and temporary }}table {{ relation }} as select * from ' + tmp_name
    )
    con.unregister(tmp_name)
{% endmacro %}
