{#- When a policy is recommended in the baseline's place. -#}


{#- How many errors wide a bound is, so that all candidates together keep the confidence. -#}
{% macro quantile_of_recommendations() -%}
    {%- set tail = (1 - var('routing_confidence')) / 2 -%}
    {{ normal_quantile('1 - ' ~ tail ~ ' / greatest(count(distinct policy), 1)') }}
{%- endmacro %}


{#- A plan that ends with the baseline's only attempt loses no success but what the check before it lets
    pass: of the failures that a later attempt would have turned, so many are missed. -#}
{% macro success_gain_by_structure() -%}
    {%- set missed = var('routing_gate_false_pass') -%}
    {%- if missed is none -%}
        null::double
    {%- else -%}
        case
            when keeps_baseline
                then {{ -missed / (1 - missed) }}::double * greatest(later_success, 0)
        end
    {%- endif -%}
{%- endmacro %}


{#- Bounds of the three gains; where the structure tells more of success, that counts. -#}
{% macro bounds_of_gains() -%}
    greatest(success_gain - z * success_error, coalesce(structural_gain, -1))
        as success_gain_lower,
    success_gain + z * success_error as success_gain_upper,
    cost_gain - z * cost_error as cost_gain_lower,
    cost_gain + z * cost_error as cost_gain_upper,
    greatest(
        utility_gain - z * utility_error,
        structural_gain - cost_gain_upper / {{ var('routing_usd_per_success') }}
    ) as utility_gain_lower,
    utility_gain + z * utility_error as utility_gain_upper
{%- endmacro %}


{#- Why the best candidate is recommended, or the baseline stays. -#}
{% macro reason_of_recommendation() -%}
    case
        when is_recommended then 'its gain is above zero at the level asked for'
        when not {{ is_supported() }}
            then 'a part of the decisions gave this policy no chance'
        when not has_enough_samples then 'too few decisions'
        when is_dominated
            then 'one run makes so much of the cost: set routing_run_budget_usd'
        when utility_gain_lower <= 0 and utility_gain_upper > 0
            then 'nothing is surely worth more'
        when success_gain_lower < {{ var('routing_success_loss') }} * -1 then 'it may lose success'
        else 'the baseline is better'
    end
{%- endmacro %}
