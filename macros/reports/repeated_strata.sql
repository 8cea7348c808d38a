{#- The sums over a stratum's tasks that were executed more than once, and those tasks of which it is
    the first stratum. -#}
{% macro strata_of_repeated_tasks(dimension, expression) -%}
    select
        time_range,
        '{{ dimension }}' as dimension,
        name,
        part.stratum,
        any_value(part.task_type) as task_type,
        0 as trials,
        0 as successes,
        count(*) filter (part.stratum = first_stratum) as tasks,
        count(*) as repeated_tasks,
        sum(part.trials) as repeated_trials,
        sum(part.successes) as repeated_successes,
        sum(pow(part.successes, 2)) as success_squares,
        sum(part.successes * part.trials) as success_trials,
        sum(pow(part.trials, 2)) as trial_squares
    from (
        select
            time_range,
            name,
            min(stratum) as first_stratum,
            unnest(list({
                'stratum': stratum, 'task_type': task_type, 'trials': trials, 'successes': successes
            })) as part
        from (
            select
                time_range,
                {{ expression }} as name,
                _task_text_id,
                hash(model_tier, task_type) as stratum,
                any_value(task_type) as task_type,
                count(*) as trials,
                count(*) filter (success) as successes
            from {{ ref('int_executions_by_range') }}
            where
                {{ expression }} is not null
                and _task_text_id in (select _task_text_id from {{ ref('int_repeated_tasks') }})
            group by time_range, {{ expression }}, _task_text_id, hash(model_tier, task_type)
        )
        group by time_range, name, _task_text_id
    )
    group by time_range, name, part.stratum
{%- endmacro %}
