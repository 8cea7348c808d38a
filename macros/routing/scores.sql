{#- Scores of policies by cell, by repository and of everything. -#}


{#- Of the CTE cell_values: what each policy comes to above the baseline, by cell. -#}
{% macro cell_gains() -%}
    select
        policies._cell_id,
        policies.repo,
        policies.task_type,
        policies.complexity_band,
        policies.policy,
        policies.plan,
        baselines.plan as baseline_plan,
        policies.plan = baselines.plan or ends_with(policies.plan, '>' || baselines.plan)
            as keeps_baseline,
        '{{ var("routing_baseline") }}' as baseline,
        policies.decision_count,
        policies.known_count,
        policies.estimated_count,
        policies.unsupported_count + baselines.unsupported_count as unsupported_count,
        policies.inverse_chances + baselines.inverse_chances as inverse_chances,
        policies.success - baselines.success as success,
        policies.capped_cost - baselines.capped_cost as capped_cost,
        policies.cost - baselines.cost as cost,
        policies.later_success,
        policies.later_capped_cost,
        policies.seen_cost + baselines.seen_cost as seen_cost,
        greatest(policies.dearest_cost, baselines.dearest_cost) as dearest_cost
    from cell_values as policies
    inner join cell_values as baselines using (_cell_id)
    where
        policies.policy <> '{{ var("routing_baseline") }}'
        and baselines.policy = '{{ var("routing_baseline") }}'
{%- endmacro %}


{#- The names of the scores that are added up over cells. -#}
{% macro added_scores() %}
    {{ return([
        'decision_count', 'known_count', 'estimated_count', 'unsupported_count', 'inverse_chances',
        'success', 'capped_cost', 'cost', 'later_success', 'later_capped_cost', 'weight', 'first_run_count',
        'first_success_count', 'first_known_count', 'first_cost', 'seen_cost', 'model_success',
        'model_capped_cost', 'model_success_squares', 'model_cost_squares', 'model_products',
        'success_residuals', 'cost_residuals', 'product_residuals',
    ]) }}
{% endmacro %}


{#- Rows a cell, added up for the cell, its repository and everything. -#}
{% macro at_each_level(rows, names) -%}
    select
        {{ level_of_group() }} as level,
        repo,
        task_type,
        complexity_band,
        policy,
        baseline,
        case when min(plan) = max(plan) then min(plan) end as plan,
        case
            when min(baseline_plan) = max(baseline_plan) then min(baseline_plan)
        end as baseline_plan,
        bool_and(keeps_baseline) as keeps_baseline,
        bool_or(is_chain) as is_chain,
        max(dearest_cost) as dearest_cost,
        {% for name in names %}
        sum({{ name }}){{ '::bigint' if name.endswith('_count') }} as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ rows }}
    {{ group_at_each_level('policy, baseline') }}
{%- endmacro %}
