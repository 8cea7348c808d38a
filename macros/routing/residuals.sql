{#- What is left of outcomes beside the model of them. -#}


{#- By how much the outcomes of a plan's first attempts differ from the model, squared. -#}
{% macro squared_residuals() -%}
    coalesce(sum(
        sums.success_count - 2 * steps.success_to_go * sums.success_count
        + pow(steps.success_to_go, 2) * sums.run_count
    ) filter (steps.step = 1), 0) as success_residuals,
    coalesce(sum(
        sums.capped_cost_squares - 2 * steps.capped_cost_to_go * sums.capped_cost
        + pow(steps.capped_cost_to_go, 2) * sums.known_count
    ) filter (steps.step = 1), 0) as cost_residuals,
    coalesce(sum(
        sums.success_capped_cost - steps.success_to_go * sums.capped_cost
        - steps.capped_cost_to_go * sums.known_success_count
        + steps.success_to_go * steps.capped_cost_to_go * sums.known_count
    ) filter (steps.step = 1), 0) as product_residuals
{%- endmacro %}
