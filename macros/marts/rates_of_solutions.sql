{#- CTEs up to `rates`: the rows of `figures`, each a group of solutions with usage_count and success_count,
    and how far the rate of their tasks is known. `days` has those tasks, as int_solution_days does. -#}
{% macro rates_of_solutions(key, figures, days) -%}
used_tasks as (
    select
        {{ key }},
        unnest(_tasks) as used
    from {{ days }}
    where {{ key }} in (select {{ key }} from {{ figures }})
),

tasks as (
    select
        {{ key }},
        used.task,
        sum(used.trials) as trials,
        sum(used.successes) as successes
    from used_tasks
    group by {{ key }}, used.task
),

sums as (
    select
        {{ key }},
        {{ task_sums() }}
    from tasks
    group by {{ key }}
),

sums_of_figures as (
    select
        {{ figures }}.*,
        sums.tasks as task_count,
        sums.success_squares as _success_squares,
        sums.success_trials as _success_trials,
        sums.trial_squares as _trial_squares,
        sums.success_shares as _success_shares
    from {{ figures }}
    inner join sums
        on {{ figures }}.{{ key }} = sums.{{ key }}
),

rates as (
    {{ rates_of('sums_of_figures', 'success_count', 'usage_count') }}
)
{%- endmacro %}
