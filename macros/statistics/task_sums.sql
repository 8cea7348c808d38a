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


{#- Those sums and the executions that are the only one of their task, whose squares are themselves. -#}
{% macro with_single_tasks(successes, trials) -%}
    {%- set lone_trials = trials ~ ' - coalesce(repeated_sums.trials, 0)' -%}
    {%- set lone_successes = successes ~ ' - coalesce(repeated_sums.successes, 0)' -%}
    ({{ lone_trials }} + coalesce(repeated_sums.tasks, 0))::bigint as task_count,
    {{ lone_successes }} + coalesce(repeated_sums.success_squares, 0) as _success_squares,
    {{ lone_successes }} + coalesce(repeated_sums.success_trials, 0) as _success_trials,
    {{ lone_trials }} + coalesce(repeated_sums.trial_squares, 0) as _trial_squares,
    {{ lone_successes }} + coalesce(repeated_sums.success_shares, 0) as _success_shares
{%- endmacro %}


{#- A query: the rows of a CTE that has the sums over its tasks, each with the variance and t of its
    rate. Each step is a query of its own: a column that another one names is bound again in it, and
    planning took longer than all else. -#}
{% macro rates_of(sums, successes, trials) -%}
    select
        *,
        {{ relative_variance('_rate', '_squared_error', '_effective_tasks', '_least_variance') }}
            as _rate_variance
    from (
        select
            *,
            {{ correlated_variance('_run_correlation', trials, '_effective_tasks') }}
                as _least_variance,
            {{ t_quantile('_effective_tasks - 1') }} as _rate_t
        from (
            select
                *,
                {{ successes }} / nullif({{ trials }}, 0) as _rate,
                {{ effective_tasks(trials, '_trial_squares') }} as _effective_tasks,
                {{ squared_error(
                    successes, trials, 'task_count',
                    '_success_squares', '_success_trials', '_trial_squares'
                ) }} as _squared_error,
                {{ run_correlation(
                    successes, trials, 'task_count', '_success_shares', '_trial_squares'
                ) }} as _run_correlation
            from {{ sums }}
        ) as tasks_told
    ) as spreads
{%- endmacro %}
