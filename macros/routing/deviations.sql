{#- How far texts are from the means, with what is mere rounding taken out. -#}


{#- Sums over texts of squared differences from the means: of success, of cost, and of both. Where costs
    are unknown, those of cost are as if the known decisions stood for all. -#}
{% macro deviations() -%}
    {{ beyond_rounding(
        'success_success - 2 * success * success_decisions + pow(success, 2) * decisions_decisions',
        'success_size'
    ) }} as success_deviation,
    {{ beyond_rounding(
        'pow(decision_count / nullif(known_count, 0), 2) * ('
        ~ 'capped_cost_capped_cost - 2 * capped_cost * capped_cost_known_decisions '
        ~ '+ pow(capped_cost, 2) * known_decisions_known_decisions)',
        'pow(decision_count / nullif(known_count, 0), 2) * capped_cost_size'
    ) }} as cost_deviation,
    {{ beyond_rounding(
        'decision_count / nullif(known_count, 0) * ('
        ~ 'success_capped_cost - success * capped_cost_decisions '
        ~ '- capped_cost * success_known_decisions + success * capped_cost * decisions_known_decisions)',
        'decision_count / nullif(known_count, 0) * sqrt(success_size * capped_cost_size)'
    ) }} as product_deviation
{%- endmacro %}


{#- A difference of sums, 0 where it is no more than the rounding of their terms: else the order of a sum would
    say whether an error is known. -#}
{% macro beyond_rounding(difference, size) -%}
    case
        when abs({{ difference }}) <= 1e-12 * {{ size }} then 0
        else {{ difference }}
    end
{%- endmacro %}
