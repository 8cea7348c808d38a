{#- The select of rpt_route_changes, of its CTE `counted`. -#}
{% macro route_change_columns() -%}
select
    level,
    repo,
    task_type,
    complexity_band,
    baseline,
    recommended,
    plan,
    decision_count,
    task_count,
    success_gain,
    cost_gain,
    utility_gain_lower,
    recent_count,
    format(
        'Route {} by {}, not {}: {:.1f} {} of 100 succeed, {} {} a task.',
        case level
            when 'everything' then 'all tasks'
            when 'repository' then {{ quoted_text('repo') }}
            else {{ quoted_text("task_type || ', ' || complexity_band || ' complexity, in ' || repo") }}
        end,
        {{ quoted_plan('plan') }}, {{ quoted_plan('baseline') }}, abs(100 * success_gain),
        case when success_gain < 0 then 'fewer' else 'more' end,
        {{ shown_money('abs(cost_gain)') }}, case when cost_gain > 0 then 'more' else 'less' end
    ) as sentence,
    format(
        '{}; from {} of {}',
        reason, {{ shown_count('decision_count', 'decision') }}, {{ shown_count('task_count', 'task') }}
    ) as reason,
    -recent_count * cost_gain as usd_per_30_days,
    -recent_count * cost_gain_upper as usd_per_30_days_lower,
    -recent_count * cost_gain_lower as usd_per_30_days_upper,
    recent_count * success_gain as successes_per_30_days,
    recent_count * success_gain_lower as successes_per_30_days_lower,
    recent_count * success_gain_upper as successes_per_30_days_upper,
    decision_count as execution_count
{%- endmacro %}


{#- A plan in a sentence: small, then large on failure. -#}
{% macro quoted_plan(plan) -%}
    case
        when contains({{ plan }}, '>')
            then replace({{ quoted_text(plan) }}, '>', ', then ') || ' on failure'
        else {{ quoted_text(plan) }}
    end
{%- endmacro %}
