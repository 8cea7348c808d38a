{#- On-run-end: publishes what routers draw from, where this run built it. docs/learning.md has the format. -#}
{% macro publish_routing(results) %}
    {%- if execute and not invocation_args_dict.get('empty') and (target.path != ':memory:' or on_lake()) -%}
        {%- for result in results
            if result.node.name == 'routing_propensities' and result.status | string == 'success' %}
            select publish_routing(
                {{ sql_text(target.path if not on_lake() else target.attach[0].path) }}, {{ sql_text(setting('routing_path', '')) }}, ({{ published_routing() }})
            )
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}


{#- The content of the file, as one JSON text. -#}
{% macro published_routing() -%}
    {%- set propensities = api.Relation.create(
        database=target.database, schema=target.schema, identifier='routing_propensities'
    ) %}
    select to_json({
        'version': 1,
        'built_at': strftime({{ built_at() }}, '%Y-%m-%dT%H:%M:%SZ'),
        'baseline': {{ sql_text(var('routing_baseline')) }},
        'exploration': {{ var('routing_exploration') }}::double,
        'medium_from': {{ var('routing_medium_from') }},
        'high_from': {{ var('routing_high_from') }},
        'units': (
            select coalesce(list(units order by level, repo, task_type, complexity_band), [])
            from (
                select
                    level,
                    repo,
                    task_type,
                    complexity_band,
                    list(
                        {'plan': plan, 'policy': policy, 'propensity': propensity} order by plan
                    ) as plans
                from {{ propensities }}
                group by level, repo, task_type, complexity_band
            ) as units
        )
    })::varchar
{%- endmacro %}
