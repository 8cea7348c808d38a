{#- CTEs up to `better`: for each smaller tier the best larger one whose interval lies apart. -#}
{% macro better_tiers() -%}
bounded as (
    select
        pairs.*,
        confidence.comparison_count,
        {% for tier in ['smaller', 'larger'] %}
        {% for bound, sign in {'lower': '-', 'upper': '+'}.items() %}
        {{ bound_of_runs(tier ~ '.success_count', tier ~ '.execution_count', 'z', sign) }}
            as {{ tier }}_{{ bound }},
        {% endfor %}
        {% endfor %}
        larger.success_rate - smaller.success_rate as success_gain,
        larger.avg_cost - smaller.avg_cost as extra_cost,
        {{ t_quantile('least(smaller.cost_known_count, larger.cost_known_count) - 1') }}
        * sqrt(smaller.cost_variance + larger.cost_variance) as cost_margin
    from pairs
    cross join confidence
),

better as (
    select
        *,
        {{ worth_of('-extra_cost', 'success_gain') }} as worth_a_run,
        {{ difference_bound('larger.success_rate', 'larger_lower', 'smaller.success_rate',
            'smaller_upper', '-') }} as gain_lower,
        {{ difference_bound('larger.success_rate', 'larger_upper', 'smaller.success_rate',
            'smaller_lower', '+') }} as gain_upper
    from bounded
    where larger_lower > smaller_upper and worth_a_run > 0
    qualify
        row_number() over (
            partition by smaller.repo, smaller.text_id, smaller.model_tier
            order by worth_a_run desc, larger.tier_rank asc
        ) = 1
)
{%- endmacro %}


{#- The columns, of the CTE `better`. -#}
{% macro larger_tier_columns() -%}
select
    smaller.repo,
    smaller.text_id,
    smaller.task_description,
    smaller.model_tier,
    larger.model_tier as larger_tier,
    {% for tier in ['smaller', 'larger'] %}
    {{ tier }}.execution_count as {{ tier }}_execution_count,
    {{ tier }}.success_count as {{ tier }}_success_count,
    {{ tier }}.success_rate as {{ tier }}_success_rate,
    {{ tier }}_lower as {{ tier }}_success_rate_lower,
    {{ tier }}_upper as {{ tier }}_success_rate_upper,
    {{ tier }}.avg_cost as {{ tier }}_avg_cost,
    {{ tier }}.cost_known_count as {{ tier }}_cost_known_count,
    {% endfor %}
    comparison_count,
    smaller.recent_count,
    format(
        'Start {} on {}, not {}: {:,} of {} succeeded there, {:,} of {:,} on {}.',
        {{ quoted_text('smaller.task_description') }}, larger.model_tier, smaller.model_tier,
        larger.success_count, {{ shown_count('larger.execution_count', 'run') }}, smaller.success_count,
        smaller.execution_count, smaller.model_tier
    ) as sentence,
    format(
        'intervals apart over {}; a run costs {} on {} (known of {:,}), {} on {} (of {:,})',
        {{ shown_count('comparison_count', 'comparison') }},
        coalesce({{ shown_money('larger.avg_cost') }}, 'an unknown sum'), larger.model_tier,
        larger.cost_known_count,
        coalesce({{ shown_money('smaller.avg_cost') }}, 'an unknown sum'), smaller.model_tier,
        smaller.cost_known_count
    ) as reason,
    -smaller.recent_count * extra_cost as usd_per_30_days,
    -smaller.recent_count * (extra_cost + cost_margin) as usd_per_30_days_lower,
    -smaller.recent_count * (extra_cost - cost_margin) as usd_per_30_days_upper,
    smaller.recent_count * success_gain as successes_per_30_days,
    smaller.recent_count * gain_lower as successes_per_30_days_lower,
    smaller.recent_count * gain_upper as successes_per_30_days_upper,
    smaller.execution_count + larger.execution_count as execution_count
{%- endmacro %}
