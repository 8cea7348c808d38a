{#- Parts of rpt_better_retries. -#}


{#- CTE `bounded`: pairs with the bounds of both rates, and the recent tries of the same again. -#}
{% macro bounded_retries() -%}
bounded as (
    select
        pairs.*,
        confidence.comparison_count,
        {% for change in ['same_again', 'changed'] %}
        {% for bound, sign in {'lower': '-', 'upper': '+'}.items() %}
        {{ rate_bound(
            change ~ '.rate',
            relative_variance(
                change ~ '.rate', change ~ '.squared_error', change ~ '.effective_count',
                change ~ '.least_variance'
            ),
            t_quantile_at('z', change ~ '.effective_count - 1'),
            sign
        ) }} as {{ change }}_{{ bound }},
        {% endfor %}
        {% endfor %}
        changed.avg_cost - same_again.avg_cost as extra_cost,
        {{ t_quantile('least(changed.cost_task_count, same_again.cost_task_count) - 1') }}
        * sqrt(changed.cost_squared_error + same_again.cost_squared_error) as cost_margin
    from pairs
    cross join confidence
)
{%- endmacro %}


{#- The columns, of the CTE `bounded`. -#}
{% macro better_retry_columns() -%}
select
    changed.error_type,
    changed.model_tier,
    changed.change,
    changed.attempts,
    changed.resolved,
    changed.rate as resolution_rate,
    changed_lower as resolution_rate_lower,
    changed_upper as resolution_rate_upper,
    changed.task_count,
    same_again.attempts as same_again_attempts,
    same_again.resolved as same_again_resolved,
    same_again.rate as same_again_rate,
    same_again_lower as same_again_rate_lower,
    same_again_upper as same_again_rate_upper,
    comparison_count,
    same_again.recent_count,
    format(
        'After {} on {}, retry on {}: it mends {} of {}, the same again {} of {:,}.',
        case when changed.error_type = 'unknown' then 'an unnamed error' else changed.error_type end,
        {{ quoted_tier('changed.model_tier') }}, changed.change, {{ shown_rate('changed.rate') }},
        {{ shown_count('changed.attempts', 'retry', 'retries') }},
        {{ shown_rate('same_again.rate') }}, same_again.attempts
    ) as sentence,
    format(
        'intervals, clustered by task, apart over {}; a retry costs {}, the same again {}',
        {{ shown_count('comparison_count', 'comparison') }},
        coalesce({{ shown_money('changed.avg_cost') }}, 'an unknown sum'),
        coalesce({{ shown_money('same_again.avg_cost') }}, 'an unknown sum')
    ) as reason,
    -same_again.recent_count * extra_cost as usd_per_30_days,
    -same_again.recent_count * (extra_cost + cost_margin) as usd_per_30_days_lower,
    -same_again.recent_count * (extra_cost - cost_margin) as usd_per_30_days_upper,
    same_again.recent_count * (changed.rate - same_again.rate) as successes_per_30_days,
    same_again.recent_count * {{ difference_bound('changed.rate', 'changed_lower',
        'same_again.rate', 'same_again_upper', '-') }} as successes_per_30_days_lower,
    same_again.recent_count * {{ difference_bound('changed.rate', 'changed_upper',
        'same_again.rate', 'same_again_lower', '+') }} as successes_per_30_days_upper,
    changed.attempts + same_again.attempts as execution_count
{%- endmacro %}
