{#- MD5 over everything that the model's rows depend on but data: its SQL, columns, the project's macros
    that it calls and the policy in variables, as the project has them; the models and seeds behind it
    as the database has them. So whatever is built first after an edit (a mart alone, a model
    before its seed), what was built from the old state is built again when the new one is there. -#}
{% macro definition_hash() %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {#- Noted in the graph, which is of one run: a model asks for it some ten times, and DuckDB writes
        out every view's SQL for each view that is asked for. What it depends on is built before it. -#}
    {%- set node_of_run = graph.nodes[model.unique_id] -%}
    {%- if node_of_run.definition_hash is defined -%}{{ return(node_of_run.definition_hash) }}{%- endif -%}
    {%- set policy = ['execution_rules', 'load_block_size', 'solution_min_usage', 'error_resolution_window_hours'] -%}
    {%- set parts = [model.raw_code] -%}
    {%- for name in policy -%}{%- do parts.append(name ~ (var(name) | tojson)) -%}{%- endfor -%}
    {%- set of_some_models = [
        'routing_medium_from', 'routing_high_from', 'routing_run_budget_usd', 'routing_text_block_size',
    ] -%}
    {%- for column in model.columns.values() -%}
        {%- do parts.append(column.name ~ column.data_type ~ column.constraints) -%}
    {%- endfor -%}
    {%- set visited = [] -%}
    {#- From the graph: it stays as parsed, while model's own list grows by what its SQL calls when it runs. -#}
    {%- set depends_on = node_of_run.depends_on -%}
    {%- set waiting = depends_on.nodes + depends_on.macros -%}
    {%- for _ in range(10000) if waiting -%}
        {%- set id = waiting.pop() -%}
        {%- if id not in visited -%}
            {%- do visited.append(id) -%}
            {%- if id.startswith('macro.' ~ project_name ~ '.') -%}
                {%- set macro = context[project_name][id.split('.')[-1]].macro -%}
                {%- do parts.append(macro.macro_sql) -%}
                {%- do waiting.extend(macro.depends_on.macros) -%}
            {%- elif id.startswith('model.') or id.startswith('seed.') -%}
                {%- set node = graph.nodes[id] -%}
                {%- do parts.append(node.name ~ definition_in_database(node)) -%}
                {%- if node.config.materialized == 'view' -%}
                    {%- do waiting.extend(node.depends_on.nodes) -%}
                {%- endif -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in of_some_models if "var('" ~ name ~ "')" in parts | join -%}
        {%- do parts.append(name ~ (var(name) | tojson)) -%}
    {%- endfor -%}
    {%- do node_of_run.update({'definition_hash': local_md5(parts | sort | join('\n'))}) -%}
    {{ return(node_of_run.definition_hash) }}
{% endmacro %}


{#- Of what definition a model or seed is in the database: a seed's rows, the hash of a view's query,
    that which an incremental model was last built by. -#}
{% macro definition_in_database(node) %}
    {%- set relation = api.Relation.create(database=target.database, schema=node.schema, identifier=node.alias) -%}
    {%- if node.resource_type == 'seed' -%}
        {%- if adapter.get_relation(target.database, node.schema, node.alias) is none -%}{{ return('') }}{%- endif -%}
        {%- set query = 'select sum(hash(seed)) from ' ~ relation ~ ' as seed' -%}
    {%- elif node.config.materialized == 'view' -%}
        {{ return(standing_views().get(node.alias, '').split(' ') | first) }}
    {%- else -%}
        {{ return(recorded_definition_hash(node.alias) or '') }}
    {%- endif -%}
    {{ return(run_query(query).columns[0].values() | join) }}
{% endmacro %}
