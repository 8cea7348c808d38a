{#- A view that is what it would be made to stays as it is: to bind a stack of views and to comment on each of
    their columns takes a quarter of a run. -#}


{#- MD5 of a view's query; and of what else makes it what it is: its comments and what it reads, as the
    database has it. (DuckDB keeps the types of a view's columns: what gives it others has to make it anew.) -#}
{% macro view_hash(sql) %}
    {#- The database's name is its file's, which may change: DuckDB leaves it out, too. -#}
    {%- set query = local_md5(sql | replace('"' ~ target.database ~ '".', '')) -%}
    {%- set parts = [model.description, model.columns | tojson] -%}
    {%- for id in graph.nodes[model.unique_id].depends_on.nodes -%}
        {%- do parts.append(shape_in_database(graph.nodes.get(id) or graph.sources[id])) -%}
    {%- endfor -%}
    {{ return(query ~ ' ' ~ local_md5(parts | join('\n'))) }}
{% endmacro %}


{#- A view's hash; the columns of a table; for a table macro, which has neither, what no run repeats. -#}
{% macro shape_in_database(node) %}
    {%- set name = node.alias or node.identifier -%}
    {%- if node.config.materialized == 'view' -%}{{ return(standing_views().get(name, invocation_id)) }}{%- endif -%}
    {%- if node.config.materialized == 'table_macro' -%}
        {{ return(standing_macros().get(name, invocation_id)) }}
    {%- endif -%}
    {%- if node.shape_in_database is not defined -%}
        {%- set relation = api.Relation.create(database=target.database, schema=node.schema, identifier=name) -%}
        {%- set described = run_query('describe ' ~ relation).columns -%}
        {%- do node.update({'shape_in_database': (described[0].values() + described[1].values()) | join(' ')}) -%}
    {%- endif -%}
    {{ return(node.shape_in_database) }}
{% endmacro %}


{#- The hash of each view that is in the database as dbt made it; noted in the graph, which is of one run.
    One that somebody made by hand has no comment, and is not among them. -#}
{% macro standing_views() %}
    {%- if graph.standing_views is not defined -%}
        {%- set made = run_query(
            'select model, definition_hash from ' ~ build_state() ~ ' where bucket is null and model in ('
            ~ "select view_name from duckdb_views() where comment is not null and database_name = '"
            ~ target.database ~ "' and schema_name = '" ~ target.schema ~ "')"
        ).columns -%}
        {%- do graph.update({'standing_views': dict(zip(made[0].values(), made[1].values()))}) -%}
    {%- endif -%}
    {{ return(graph.standing_views) }}
{% endmacro %}


{#- As standing_views, of table macros; on a file none, as there they are always made anew. -#}
{% macro standing_macros() %}
    {%- if graph.standing_macros is not defined -%}
        {%- set made = {} -%}
        {%- if on_lake() -%}
            {%- set known = run_query(
                'select model, definition_hash from ' ~ build_state() ~ ' where bucket is null and model in ('
                ~ "select function_name from duckdb_functions() where function_type = 'table_macro' "
                ~ "and database_name = '" ~ target.database ~ "' and schema_name = '" ~ target.schema ~ "')"
            ).columns -%}
            {%- do made.update(dict(zip(known[0].values(), known[1].values()))) -%}
        {%- endif -%}
        {%- do graph.update({'standing_macros': made}) -%}
    {%- endif -%}
    {{ return(graph.standing_macros) }}
{% endmacro %}


{#- Of a view or a table macro that is being made, in its transaction. -#}
{% macro record_view(hash) %}
    {%- do (standing_views() if model.config.materialized == 'view' else standing_macros()).update(
        {this.identifier: hash}
    ) %}
    delete from {{ build_state() }} where model = '{{ this.identifier }}';
    insert into {{ build_state() }} (model, definition_hash) values ('{{ this.identifier }}', '{{ hash }}');
{% endmacro %}
