{#- What is summed up of decisions by the paths that they could have taken. -#}


{#- The sums of such rows. A cost counts where that of the whole decision is known; the weights of the
    others are summed apart, so that an unknown cost is neither 0 nor lost. -#}
{% macro path_sums() -%}
    count(*) as supported_count,
    sum(1 / chance) as inverse_chances,
    count(*) filter (is_run) as run_count,
    count(*) filter (is_run and success) as success_count,
    count(*) filter (is_known) as known_count,
    count(*) filter (is_known and success) as known_success_count,
    coalesce(sum(cost) filter (is_known), 0) as cost,
    coalesce(sum(capped_cost) filter (is_known), 0) as capped_cost,
    coalesce(sum(capped_cost * capped_cost) filter (is_known), 0) as capped_cost_squares,
    coalesce(sum(capped_cost) filter (is_known and success), 0) as success_capped_cost,
    coalesce(sum(1 / chance) filter (is_run), 0) as weight,
    coalesce(sum(1 / chance) filter (is_run and success), 0) as success_weight,
    coalesce(sum(1 / chance) filter (is_run and not is_known), 0) as unknown_weight,
    coalesce(sum(1 / chance) filter (is_run and not is_known and success), 0)
        as unknown_success_weight,
    coalesce(sum(cost / chance) filter (is_known), 0) as cost_weight,
    coalesce(sum(capped_cost / chance) filter (is_known), 0) as capped_cost_weight,
    {{ drawn_sums() }},
    max(dearest_cost) as dearest_cost
{%- endmacro %}


{#- Sums that a log's own chances are checked by: drawn by the chances that it says, the plan of a decision
    has a weight of 1 in the mean. -#}
{% macro drawn_sums() -%}
    count(plan_chance) as drawable_count,
    count(plan_chance) filter (is_drawn) as drawn_count,
    coalesce(sum(1 / plan_chance), 0) as inverse_plan_chances,
    coalesce(sum(1 / plan_chance) filter (is_drawn), 0) as drawn_inverse_chances,
    min(plan_chance) as least_chance
{%- endmacro %}


{#- Those sums over blocks of texts and kinds of decisions, each weight by its scale. Where a chance is
    estimated, which decisions could have taken a path is not known of them one by one. -#}
{% macro weighted_sums() -%}
    coalesce(sum(supported_count) filter (not is_estimated or path = ''), 0)::bigint
        as supported_count,
    coalesce(sum(inverse_chances) filter (not is_estimated or path = ''), 0) as inverse_chances,
    coalesce(sum(run_count) filter (is_estimated), 0)::bigint as estimated_count,
    {% for name in path_sum_columns() if name.endswith('weight') %}
    coalesce(sum({{ name }} * scale), 0) as {{ name }},
    {% endfor %}
    {% for name in path_sum_columns()[2:] if not name.endswith('weight') %}
    coalesce(sum({{ name }}), 0){{ '::bigint' if name.endswith('_count') }} as {{ name }},
    {% endfor %}
    max(dearest_cost) as dearest_cost
{%- endmacro %}
