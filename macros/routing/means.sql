{#- The model of the outcome: means of other folds, drawn towards those of more decisions. -#}


{#- A sum over the rows of a scope and path that are of other folds. -#}
{% macro in_other_folds(sum_column, scope) -%}
    (
        sum({{ sum_column }}) over (partition by {{ scope }}, path)
        - sum({{ sum_column }}) over (partition by {{ scope }}, path, fold)
    )
{%- endmacro %}


{#- A mean of a total over a count, drawn towards another by a mass of so many attempts. -#}
{% macro drawn_mean(total, count, towards, mass) -%}
    ({{ total }} + {{ mass }} * {{ towards }}) / ({{ count }} + {{ mass }})
{%- endmacro %}


{#- What an outcome comes to from each of the steps one, two and three on: that of the step, and where it
    fails, what comes after. -#}
{% macro to_go(outcome) -%}
    [
        one.{{ outcome }} + (1 - one.success) * (
            coalesce(two.{{ outcome }}, 0)
            + coalesce((1 - two.success) * three.{{ outcome }}, 0)
        ),
        two.{{ outcome }} + (1 - two.success) * coalesce(three.{{ outcome }}, 0),
        three.{{ outcome }}
    ]
{%- endmacro %}
