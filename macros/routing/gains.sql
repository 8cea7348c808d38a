{#- Gains over the baseline, of units (cells, repositories) that are drawn towards each other. -#}


{#- The three measures of a gain, each with the squared differences of texts from its mean. -#}
{% macro measures_of_gain() -%}
    {%- set usd = var('routing_usd_per_success') -%}
    [
        {'measure': 'success', 'seen_gain': success, 'deviation': success_deviation},
        {'measure': 'cost', 'seen_gain': capped_cost, 'deviation': cost_deviation},
        {
            'measure': 'utility',
            'seen_gain': success - capped_cost / {{ usd }},
            'deviation': success_deviation
            - 2 * product_deviation / {{ usd }} + cost_deviation / pow({{ usd }}, 2)
        }
    ]
{%- endmacro %}


{#- Of CTEs measures and pooled: the squared error of a unit's gain. As seen, with 20 texts' worth of what
    the units of its level have, for few texts differ too little by chance. -#}
{% macro mixed_variance() -%}
    {%- set expected -%}
        mean_deviation
        * (inverse_chances / decision_count) / mean_inverse_chance
        * (decision_squares / decision_count) / mean_repeats
        / decision_count
    {%- endset -%}
    case
        when task_count > 1 then
            (
                task_count * greatest(deviation, 0) / pow(decision_count, 2)
                * task_count / greatest(task_count - 1, 1)
                + 20 * {{ expected }}
            ) / (task_count + 20)
        else {{ expected }}
    end
{%- endmacro %}


{#- Of CTEs units and fixed_effects: by how much the units' true gains differ. -#}
{% macro variance_between_units() -%}
    coalesce(greatest(
        (
            sum(pow(units.seen_gain - fixed_effects.gain, 2) / units.variance)
            - (any_value(fixed_effects.unit_count) - 1)
        ) / nullif(
            any_value(fixed_effects.weight)
            - any_value(fixed_effects.squared_weight) / any_value(fixed_effects.weight),
            0
        ),
        0
    ), 0)
{%- endmacro %}


{#- Of CTEs units and centres: a unit's gain, drawn towards the centre. -#}
{% macro drawn_gain() -%}
    case
        when unit_count = 1 then units.seen_gain
        when variance_between = 0 then centres.gain
        else (units.seen_gain * variance_between + centres.gain * units.variance)
            / (units.variance + variance_between)
    end
{%- endmacro %}


{#- Of CTEs units and centres: the squared error of that gain. -#}
{% macro drawn_variance() -%}
    case
        when unit_count = 1 then units.variance
        when variance_between = 0 then centres.variance
        else units.variance * variance_between / (units.variance + variance_between)
            + pow(units.variance / (units.variance + variance_between), 2) * centres.variance
    end
{%- endmacro %}
