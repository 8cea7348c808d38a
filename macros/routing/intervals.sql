{#- Intervals of values: where the numbers come from is in docs/learning.md. -#}


{#- Squared errors of values: as seen between texts, and as the model expects them. For few and
    heavy-tailed attempts the latter are steadier. -#}
{% macro variances_of_values() -%}
    {%- set between = 'task_count / greatest(task_count - 1, 1) / pow(decision_count, 2)' -%}
    {{ between }} * greatest(success_deviation, 0) as success_variance,
    {{ between }} * greatest(cost_deviation, 0) as cost_variance,
    {{ between }} * product_deviation as covariance,
    {{ expected_variance('success_squares', 'success', 'success', 'success_residuals',
        'decision_count', 'first_run_count') }} as expected_success_variance,
    {{ expected_variance('cost_squares', 'capped_cost', 'capped_cost', 'cost_residuals',
        'known_count', 'first_known_count') }} as expected_cost_variance,
    {{ expected_variance('products', 'success', 'capped_cost', 'product_residuals',
        'known_count', 'first_known_count') }} as expected_covariance,
    -- Decisions that the expectation counts for; of plans of several attempts it is not known.
    case when is_chain then 0 else 5 end as prior_decisions
{%- endmacro %}


{#- The variance of a mean of single attempts: of the model's means, and of outcomes around them. -#}
{% macro expected_variance(squares, one, other, residuals, count, run_count) -%}
    (
        model_{{ squares }} / nullif({{ count }}, 0)
        - model_{{ one }} * model_{{ other }} / nullif(
            {{ 'decision_count' if one == 'success' else count }}::double * {{ count }}, 0
        )
        + inverse_chances / decision_count / greatest({{ run_count }}, 1) * {{ residuals }}
    ) / nullif({{ count }}, 0)
{%- endmacro %}


{#- Standard errors of values, of what variances_of_values has. -#}
{% macro errors_of_values() -%}
    {%- set usd = var('routing_usd_per_success') -%}
    sqrt(success_variance) as success_error,
    sqrt(
        (effective_count * cost_variance + 4 * prior_decisions * expected_cost_variance)
        / (effective_count + 4 * prior_decisions)
    ) as cost_error,
    sqrt(greatest((
        effective_count
        * (success_variance - 2 * covariance / {{ usd }} + cost_variance / pow({{ usd }}, 2))
        + prior_decisions * (
            expected_success_variance - 2 * expected_covariance / {{ usd }}
            + expected_cost_variance / pow({{ usd }}, 2)
        )
    ) / (effective_count + prior_decisions), 0)) as utility_error
{%- endmacro %}


{#- Bounds of values, of their errors and t. A success is a rate; its n is the one that has the error.
    Where all went alike the error is none and tells no n: it is at most that of the effective ones. -#}
{% macro intervals_of_values() -%}
    {%- set edge = '(1 / (decision_count + 2))' -%}
    {%- set inside = 'least(greatest(success, ' ~ edge ~ '), 1 - ' ~ edge ~ ')' -%}
    {%- set is_inside = 'success between ' ~ edge ~ ' and 1 - ' ~ edge -%}
    {%- set rate = 'least(greatest(success, 0), 1)' -%}
    {%- set variance %}
    greatest(
        pow(greatest(success_error, 1e-9), 2) / ({{ inside }} * (1 - {{ inside }})),
        case when not ({{ is_inside }}) then 1 / effective_count end
    )
    {%- endset -%}
    greatest({{ rate_bound(rate, variance, 't', '-') }}, 0) as success_lower,
    least({{ rate_bound(rate, variance, 't', '+') }}, 1) as success_upper,
    capped_cost * exp(-t * cost_error / nullif(capped_cost, 0)) as cost_lower,
    capped_cost * exp(t * cost_error / nullif(capped_cost, 0)) as cost_upper,
    utility - t * utility_error as utility_lower,
    utility + t * utility_error as utility_upper
{%- endmacro %}
