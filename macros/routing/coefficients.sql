{#- What a text's sums count for in its scores: macros/routing/values.sql, term by term. -#}


{#- The sums of a text's decisions, from a plan's first step. -#}
{% macro terms_of_decisions() -%}
    [
        {{ term('weight', 'steps.success_to_go', 'steps.capped_cost_to_go', 1, 1) }},
        {{ term('unknown_weight', 0, '-steps.capped_cost_to_go', 0, -1) }}
    ]
{%- endmacro %}


{#- The sums of a text's attempts at a step of the plan. -#}
{% macro terms_of_steps() -%}
    [
        {{ term('weight', 'steps.success_after - steps.success_to_go',
            'steps.capped_cost_after - steps.capped_cost_to_go') }},
        {{ term('success_weight', '1 - steps.success_after', '-steps.capped_cost_after') }},
        {{ term('capped_cost_weight', 0, 1) }},
        {{ term('unknown_weight', 0, 'steps.capped_cost_to_go - steps.capped_cost_after') }},
        {{ term('unknown_success_weight', 0, 'steps.capped_cost_after') }}
    ]
{%- endmacro %}


{#- One term: what a sum counts for in success, in cost, and in the decisions that these are means of. -#}
{% macro term(name, success, capped_cost, decisions=0, known_decisions=0) -%}
    {
        'name': '{{ name }}',
        'success': ({{ success }})::double,
        'capped_cost': ({{ capped_cost }})::double,
        'decisions': {{ decisions }}::double,
        'known_decisions': {{ known_decisions }}::double
    }
{%- endmacro %}
