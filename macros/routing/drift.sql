{#- Values of plans by time: means of weighted outcomes, step by step. -#}


{#- Weighted means of days, with the squared error of the success: Särndal, C.-E., Swensson, B. and Wretman,
    J. (1992), Model Assisted Survey Sampling, result 5.6.1, the ratio mean. -#}
{% macro drift_sums() -%}
    sum(days.run_count)::bigint as run_count,
    sum(days.success_weight) / sum(days.weight) as success,
    (
        sum(days.success_squared_weight) * (1 - 2 * sum(days.success_weight) / sum(days.weight))
        + pow(sum(days.success_weight) / sum(days.weight), 2) * sum(days.squared_weight)
    ) / pow(sum(days.weight), 2) as variance,
    sum(days.capped_cost_weight) / nullif(sum(days.known_weight), 0) as cost
{%- endmacro %}


{#- Of the CTE halves: a plan's values, where each of its steps was seen. A plan fails when all of its steps
    do; the error of that is by the delta method. -#}
{% macro drift_values(half, condition) -%}
    min(run_count) filter ({{ condition }}) as {{ half }}_count,
    case
        when count(*) filter ({{ condition }}) = len(string_split(plan, '>'))
            then 1 - product(1 - success) filter ({{ condition }})
    end as {{ half }}_success,
    pow(product(1 - success) filter ({{ condition }}), 2) * sum(
        variance / pow(greatest(1 - success, 1e-6), 2)
    ) filter ({{ condition }}) as {{ half }}_variance,
    case
        when count(*) filter ({{ condition }}) = len(string_split(plan, '>'))
            then {{ cost_of_steps("list({'success': success, 'cost': cost} order by len(path)) filter (" ~ condition ~ ")") }}
    end as {{ half }}_cost
{%- endmacro %}


{#- The cost of a plan, of a list of its steps in their order: each is paid where those before it fail. -#}
{% macro cost_of_steps(steps) -%}
    list_sum(list_transform(
        range(1, len({{ steps }}) + 1),
        lambda place: ({{ steps }})[place]['cost'] * coalesce(
            list_product(list_transform(({{ steps }})[1:place - 1], lambda s: 1 - s['success'])), 1
        )
    ))
{%- endmacro %}
