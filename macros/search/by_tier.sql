{#- How the runs of a group went on each model tier. -#}


{#- CTEs up to `tiers_of_groups`: of each group of runs, a list of its tiers, the smaller ones first.
    key: the column of a group.
    runs: the CTE of the runs.
    of_one_task: whether a group is one task, whose runs are independent trials of it; else a rate is
    known as far as its tasks tell. -#}
{% macro tiers_of_groups(key, runs, of_one_task) -%}
tier_tasks as (
    select
        {{ key }},
        model_tier,
        count(*) as trials,
        count(*) filter (success) as successes,
        sum(actual_cost) as total_cost,
        count(actual_cost) as cost_known_count,
        sum(duration_seconds)::double as total_duration,
        count(duration_seconds) as duration_known_count
    from {{ runs }}
    group by {{ key }}, model_tier, _task_text_id
),

tier_sums as (
    select
        {{ key }},
        model_tier,
        sum(trials)::bigint as execution_count,
        sum(successes)::bigint as success_count,
        count(*) as task_count,
        sum(pow(successes, 2)) as _success_squares,
        sum(successes::double * trials) as _success_trials,
        sum(pow(trials, 2)) as _trial_squares,
        {{ sum_of_shares() }} as _success_shares,
        sum(total_cost) / nullif(sum(cost_known_count), 0) as avg_cost,
        sum(cost_known_count)::bigint as cost_known_count,
        sum(total_duration) / nullif(sum(duration_known_count), 0) as avg_duration,
        sum(duration_known_count)::bigint as duration_known_count
    from tier_tasks
    group by {{ key }}, model_tier
),

tier_rates as (
    {% if of_one_task %}
    select
        *,
        success_count / execution_count as _rate,
        1.0::double / execution_count as _rate_variance,
        1.959963984540054::double as _rate_t
    from tier_sums
    {% else %}
    {{ rates_of('tier_sums', 'success_count', 'execution_count') }}
    {% endif %}
),

tiers_of_groups as (
    select
        {{ key }},
        list(
            {
                'model_tier': model_tier,
                'execution_count': execution_count,
                'success_count': success_count,
                'success_rate': _rate,
                'success_rate_lower': {{ rate_bound('_rate', '_rate_variance', '_rate_t', '-') }},
                'success_rate_upper': {{ rate_bound('_rate', '_rate_variance', '_rate_t', '+') }},
                'avg_cost': avg_cost,
                'cost_known_count': cost_known_count,
                'avg_duration': avg_duration,
                'duration_known_count': duration_known_count,
                'has_enough_samples':
                    {{ 'execution_count' if of_one_task else 'task_count' }}
                    >= {{ setting('min_samples_for_learning', '10') }}
            }
            order by {{ tier_rank('model_tier') }} nulls last, model_tier
        ) as by_tier
    from tier_rates
    group by {{ key }}
)
{%- endmacro %}
