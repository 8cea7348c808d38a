{#- The paths of plans, step by step, with their chances. -#}


{#- Of the CTE decisions: CTEs possible_paths, the paths that each could have taken with their chances, and
    steps, those that it took with their outcomes. -#}
{% macro possible_path_ctes() -%}
    plans as (
        select
            decision_id,
            unnest(coalesce(chances, [{'plan': plan, 'chance': 1.0::double}]), recursive := true)
        from decisions
    ),

    prefixes as (
        select
            decision_id,
            plan,
            chance,
            unnest({{ prefixes_of('plan') }}) as path
        from plans
        where chance > 0
    ),

    possible_paths as (
        select
            decision_id,
            path,
            sum(chance) as chance,
            sum(chance) filter (plan = path) as plan_chance
        from prefixes
        group by decision_id, path
    ),

    steps as (
        select
            decision_id,
            unnest(list_transform(range(1, len(steps) + 1), lambda place: {
                'path': array_to_string(
                    list_transform(steps[1:place], lambda s: s['model_tier']), '>'
                ),
                'success': steps[place]['success'],
                'cost': steps[place]['cost']
            }), recursive := true)
        from decisions
    )
{%- endmacro %}
