{#- How far a rate is known, of sums over its tasks. -#}


{#- Aggregates over rows that are a task each, with its trials and successes. -#}
{% macro task_sums() -%}
    count(*) as tasks,
    sum(trials) as trials,
    sum(successes) as successes,
    sum(pow(successes, 2)) as success_squares,
    sum(successes::double * trials) as success_trials,
    sum(pow(trials, 2)) as trial_squares,
    {{ sum_of_shares() }} as success_shares
{%- endmacro %}


{#- The sum over tasks of successes² / trials: to nine decimals, so that it is the same in any order. -#}
{% macro sum_of_shares() -%}
    sum((pow(successes, 2) / trials)::decimal(18, 9))
{%- endmacro %}


{#- What a rate's variance is at least, as an aggregate over such rows. -#}
{% macro least_variance_of_tasks(effective) -%}
    {{ correlated_variance(
        run_correlation(
            'sum(successes)', 'sum(trials)', 'count(*)', sum_of_shares(), 'sum(pow(trials, 2))'
        ),
        'sum(trials)', effective
    ) }}
{%- endmacro %}


{#- Those sums and the executions that are the only one of their task, whose squares are themselves:
    how many tasks, and the variance and t of their rate. -#}
{% macro with_single_tasks(successes, trials) -%}
    {%- set lone_trials = trials ~ ' - coalesce(repeated_sums.trials, 0)' -%}
    {%- set lone_successes = successes ~ ' - coalesce(repeated_sums.successes, 0)' -%}
    ({{ lone_trials }} + coalesce(repeated_sums.tasks, 0))::bigint as task_count,
    {{ lone_successes }} + coalesce(repeated_sums.success_squares, 0) as _success_squares,
    {{ lone_successes }} + coalesce(repeated_sums.success_trials, 0) as _success_trials,
    {{ lone_trials }} + coalesce(repeated_sums.trial_squares, 0) as _trial_squares,
    {{ lone_successes }} + coalesce(repeated_sums.success_shares, 0) as _success_shares,
    {{ rate_spread(successes, trials) }}
{%- endmacro %}


{#- How far a rate is known, of the sums over its tasks in the same select. -#}
{% macro rate_spread(successes, trials) -%}
    {{ effective_tasks(trials, '_trial_squares') }} as _effective_tasks,
    {{ squared_error(
        successes, trials, 'task_count', '_success_squares', '_success_trials', '_trial_squares'
    ) }} as _squared_error,
    {{ run_correlation(successes, trials, 'task_count', '_success_shares', '_trial_squares') }}
        as _run_correlation,
    {{ correlated_variance('_run_correlation', trials, '_effective_tasks') }} as _least_variance,
    {{ relative_variance(
        successes ~ ' / nullif(' ~ trials ~ ', 0)', '_squared_error', '_effective_tasks',
        '_least_variance'
    ) }} as _rate_variance,
    {{ t_quantile('_effective_tasks - 1') }} as _rate_t
{%- endmacro %}
