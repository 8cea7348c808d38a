{#- Doubly robust values of plans, from the sums by path and the model's means. Robins, J. M., Rotnitzky,
    A. and Zhao, L. P. (1994), Journal of the American Statistical Association 89; sequential as in
    Jiang, N. and Li, L. (2016), Doubly robust off-policy value evaluation, ICML. -#}


{#- Of CTEs steps and roots, first steps only: what the model expects of a cell's decisions. -#}
{% macro expected_sums() -%}
    sum(roots.run_count)::bigint as decision_count,
    sum(roots.known_count)::bigint as known_count,
    sum(roots.estimated_count)::bigint as estimated_count,
    {% for outcome, count in [
        ('success', 'run_count'), ('capped_cost', 'known_count'), ('cost', 'known_count'),
    ] %}
    sum(roots.{{ count }} * steps.{{ outcome }}_to_go) as model_{{ outcome }},
    {% endfor %}
    sum(roots.run_count * steps.success) as model_first_success,
    sum(roots.known_count * steps.capped_cost) as model_first_capped_cost,
    sum(roots.run_count * pow(steps.success_to_go, 2)) as model_success_squares,
    sum(roots.known_count * pow(steps.capped_cost_to_go, 2)) as model_cost_squares,
    sum(roots.run_count * steps.success_to_go * steps.capped_cost_to_go) as model_products
{%- endmacro %}


{#- Of CTEs steps and sums: what was seen on the plan's steps. -#}
{% macro seen_sums() -%}
    {% for outcome in ['success', 'capped_cost', 'cost'] %}
    coalesce(sum({{ correction(outcome) }}), 0) as {{ outcome }}_correction,
    {% endfor %}
    coalesce(sum(sums.success_weight - steps.success * sums.weight) filter (steps.step = 1), 0)
        as first_success_correction,
    coalesce(sum(
        sums.capped_cost_weight - steps.capped_cost * (sums.weight - sums.unknown_weight)
    ) filter (steps.step = 1), 0) as first_capped_cost_correction,
    coalesce(sum(sums.supported_count) filter (steps.is_last), 0)::bigint as supported_count,
    -- 1 / chance of the steps at which the model expects the plan to end
    sum(
        steps.reach * case when steps.is_last then 1 else steps.success end * sums.inverse_chances
    ) as inverse_chances,
    coalesce(sum(sums.weight) filter (steps.step = 1), 0) as weight,
    {% for name in ['run_count', 'success_count', 'known_count'] %}
    coalesce(sum(sums.{{ name }}) filter (steps.step = 1), 0)::bigint as first_{{ name }},
    {% endfor %}
    coalesce(sum(sums.cost) filter (steps.step = 1), 0) as first_cost,
    coalesce(sum(sums.cost), 0) as seen_cost,
    max(sums.dearest_cost) as dearest_cost,
    bool_or(not steps.is_last or steps.path = '') as is_chain,
    {{ squared_residuals() }}
{%- endmacro %}


{#- What the weighted attempts of a step add to what the model expects of an outcome. -#}
{% macro correction(outcome) -%}
    {%- if outcome == 'success' -%}
        sums.success_weight - steps.success_to_go * sums.weight
        + steps.success_after * (sums.weight - sums.success_weight)
    {%- else -%}
        sums.{{ outcome }}_weight
        - steps.{{ outcome }}_to_go * (sums.weight - sums.unknown_weight)
        + steps.{{ outcome }}_after * (
            sums.weight - sums.unknown_weight
            - (sums.success_weight - sums.unknown_success_weight)
        )
    {%- endif -%}
{%- endmacro %}
