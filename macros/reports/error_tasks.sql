{#- CTEs up to `rates`, as rates_by_task has them, of the rows of `figures`: an error type in a group, how
    often it came up, and over how many executions. Each type's rate is over all tasks of its group. -#}
{% macro error_rates_by_task(keys, figures, executions, grouping=none) -%}
repeated_outcomes as (
    select
        {{ keys | join(', ') }},
        _task_text_id,
        {{ failed_error_type() }} as error_type,
        count(*) as successes
    from {{ executions }}
    where _task_text_id in (select _task_text_id from {{ ref('int_repeated_tasks') }})
    group by _task_text_id, {{ failed_error_type() }}, {{ grouping or keys | join(', ') }}
),

repeated_tasks as (
    select
        *,
        sum(successes) over (partition by {{ keys | join(', ') }}, _task_text_id) as trials
    from repeated_outcomes
),

-- Neither of the two is ever empty: DuckDB 2.0.0 makes wrong sums of a join with nothing (2026-11).
sums_of_groups as (
    select
        {{ keys | join(', ') }},
        count(distinct _task_text_id) as tasks,
        sum(successes) as trials,
        sum(successes::double * trials) as trial_squares
    from repeated_tasks
    group by {{ keys | join(', ') }}
    union all
    select {{ (['null'] * (keys | length + 3)) | join(', ') }}
),

sums_of_types as (
    select
        {{ keys | join(', ') }},
        error_type,
        sum(successes) as successes,
        sum(pow(successes, 2)) as success_squares,
        sum(successes::double * trials) as success_trials,
        {{ sum_of_shares() }} as success_shares
    from repeated_tasks
    where error_type is not null
    group by {{ keys | join(', ') }}, error_type
    union all
    select {{ (['null'] * (keys | length + 5)) | join(', ') }}
),

repeated_sums as (
    select
        {{ figures }}.*,
        sums_of_groups.tasks,
        sums_of_groups.trials,
        sums_of_groups.trial_squares,
        sums_of_types.successes,
        sums_of_types.success_squares,
        sums_of_types.success_trials,
        sums_of_types.success_shares
    from {{ figures }}
    left join sums_of_groups
        on {{ same_group(figures, 'sums_of_groups', keys) }}
    left join sums_of_types
        on {{ figures }}.error_type = sums_of_types.error_type
            and {{ same_group(figures, 'sums_of_types', keys) }}
),

sums_over_tasks as (
    select
        repeated_sums.*,
        {{ with_single_tasks('repeated_sums.error_count', 'repeated_sums.total_executions') }}
    from repeated_sums
),

rates as (
    {{ rates_of('sums_over_tasks', 'error_count', 'total_executions') }}
)
{%- endmacro %}
