{#- CTE `strata`: how many executions each member of these groups has by range and stratum, a tier
    and task type; and the sums over the tasks that were executed more than once, which alone are
    grouped by task, because that takes time. `tasks` counts a task of several strata in one of them,
    so that no sum of strata has it twice. -#}
{% macro strata_of(groups) -%}
{{ runs_of_tasks(groups) }},

parts as (
    select
        time_range,
        dimension,
        name,
        task is not null as is_repeated,
        min(stratum) as first_stratum,
        unnest(list({
            'stratum': stratum, 'task_type': task_type, 'trials': trials, 'successes': successes
        })) as part
    from runs
    group by time_range, dimension, name, task
),

strata as (
    select
        time_range,
        dimension,
        name,
        part.stratum as stratum,
        any_value(part.task_type) as task_type,
        sum(part.trials)::bigint as trials,
        sum(part.successes)::bigint as successes,
        count(*) filter (is_repeated and part.stratum = first_stratum)
        + coalesce(sum(part.trials) filter (not is_repeated), 0)::bigint as tasks,
        {% for sum, of in repeated_sums().items() %}
        coalesce(sum({{ of }}) filter (is_repeated), 0)::bigint as {{ sum }}{{ ',' if not loop.last }}
        {% endfor %}
    from parts
    group by time_range, dimension, name, part.stratum
),
{%- endmacro %}


{#- The sums over the tasks of a stratum that were executed more than once. -#}
{% macro repeated_sums() -%}
    {{ return({
        'repeated_tasks': '1',
        'repeated_trials': 'part.trials',
        'repeated_successes': 'part.successes',
        'success_squares': 'part.successes * part.successes',
        'success_trials': 'part.successes * part.trials',
        'trial_squares': 'part.trials * part.trials',
    }) }}
{%- endmacro %}
