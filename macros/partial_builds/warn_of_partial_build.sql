{#- On-run-end: says which tables this run left empty or cut, and what makes them whole. -#}
{% macro warn_of_partial_build(results) %}
    {%- if execute -%}
        {%- set built = [] -%}
        {%- for result in results if result.node.resource_type == 'model' and result.status | string == 'success' -%}
            {%- do built.append(result.node) -%}
        {%- endfor -%}
        {%- if invocation_args_dict.get('empty') -%}
            {%- do warn_of(built, '--empty: there are no rows in') -%}
        {%- endif -%}
        {%- if invocation_args_dict.get('sample') -%}
            {%- do warn_of(sampled_models(built), '--sample: there is only a part of the rows in') -%}
        {%- endif -%}
        {%- for name, length in var('project_windows').items() if var(name) != length -%}
            {%- do warn_of(
                models_with_window(built, name),
                '--vars: ' ~ name ~ ' is ' ~ var(name) ~ ' instead of ' ~ length ~ ' in'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}


{#- The warning, where there is a model to name: tables by name, views by their number. -#}
{% macro warn_of(models, finding) %}
    {%- set tables = [] -%}
    {%- for node in models if node.config.materialized in ('incremental', 'table') -%}
        {%- do tables.append(node.name) -%}
    {%- endfor -%}
    {%- if models -%}
        {%- set views = ((models | length) - (tables | length)) ~ ' views' -%}
        {%- do exceptions.warn(
            finding ~ ' ' ~ (tables + [views]) | join(', ')
            ~ '. Run `dbt build` without that option to make them whole'
        ) -%}
    {%- endif -%}
{% endmacro %}


{#- The models that read something by its event_time: of nothing else does --sample take a part. -#}
{% macro sampled_models(models) %}
    {%- set sampled = [] -%}
    {%- for node in models -%}
        {%- for id in node.depends_on.nodes -%}
            {%- if (graph.nodes.get(id) or graph.sources.get(id)).config.event_time and node not in sampled -%}
                {%- do sampled.append(node) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(sampled) }}
{% endmacro %}


{#- The models whose code, or a macro of this project that they call, names the variable, and those that
    read them. The models are in the order of their build. -#}
{% macro models_with_window(models, name) %}
    {%- set found, ids = [], [] -%}
    {%- for node in models -%}
        {%- set code = [node.raw_code] -%}
        {%- for id in node.depends_on.macros if id.startswith('macro.' ~ project_name ~ '.') -%}
            {%- do code.append(context[project_name][id.split('.')[-1]].macro.macro_sql) -%}
        {%- endfor -%}
        {%- set reads = node.depends_on.nodes | select('in', ids) | list -%}
        {%- if reads or "var('" ~ name ~ "')" in code | join -%}
            {%- do found.append(node) -%}
            {%- do ids.append(node.unique_id) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}
