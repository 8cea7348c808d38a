-- Bounds that differ from those worked out by hand, to four decimals. A task: [successes, trials].
{% set won, lost = '[1, 1]', '[0, 1]' %}
{% set groups = {
    'five of ten tasks': [[won] * 5 + [lost] * 5, '0.1990', '0.8010'],
    'ten of ten tasks': [[won] * 10, '0.6375', '1.0'],
    'none of ten tasks': [[lost] * 10, '0.0', '0.3625'],
    'tasks that agree': [['[1, 2]'] * 10, '0.1990', '0.8010'],
    'tasks of 3 runs and of 1': [
        ['[3, 3]', '[3, 3]', '[2, 3]', '[1, 3]', '[0, 3]', '[3, 3]'] + [won] * 3 + [lost] * 3,
        '0.3262', '0.8516',
    ],
    'three tasks of most runs, all well': [
        ['[9, 9]'] * 3 + [won] * 5 + [lost] * 2, '0.3159', '0.9982',
    ],
    'two tasks that differ': [['[5, 5]', '[0, 5]'], '0.0019', '0.9981'],
    'one task': [['[3, 5]'], '0.0', '1.0'],
    'no tasks': [[], 'null', 'null'],
} %}
with

tasks as (
    {% for name, (tasks, lower_bound, upper_bound) in groups.items() %}
    select
        '{{ name }}' as name,
        {{ lower_bound }} as lower_bound,
        {{ upper_bound }} as upper_bound,
        unnest([{{ tasks | join(', ') or 'null::bigint[]' }}]) as task
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

sums as (
    select
        name,
        lower_bound,
        upper_bound,
        sum(task[1]) as successes,
        sum(task[2]) as trials,
        count(task) as tasks,
        sum(task[1] * task[1]) as success_squares,
        sum(task[1] * task[2]) as success_trials,
        sum(task[2] * task[2]) as trial_squares,
        sum(task[1] * task[1] / task[2]) as success_shares
    from tasks
    group by all
),

errors as (
    select
        *,
        successes / trials as rate,
        {{ effective_tasks('trials', 'trial_squares') }} as effective,
        {{ squared_error(
            'successes', 'trials', 'tasks', 'success_squares', 'success_trials', 'trial_squares'
        ) }} as squared_error,
        {{ run_correlation('successes', 'trials', 'tasks', 'success_shares', 'trial_squares') }}
            as correlation
    from sums
),

spreads as (
    select
        *,
        {{ correlated_variance('correlation', 'trials', 'effective') }} as least,
        {{ relative_variance('rate', 'squared_error', 'effective', 'least') }} as variance,
        {{ t_quantile('effective - 1') }} as t
    from errors
),

bounds as (
    select
        *,
        {{ rate_bound('rate', 'variance', 't', '-') }} as found_lower,
        {{ rate_bound('rate', 'variance', 't', '+') }} as found_upper
    from spreads
)

select *
from bounds
where
    round(found_lower, 4) is distinct from lower_bound
    or round(found_upper, 4) is distinct from upper_bound
