{#- CTE `strata`: how many executions each member of these groups has by range and stratum, a tier
    and task type; how many tasks; and the sums over the tasks that were executed more than once,
    which alone are grouped by task, because that takes time. A task of several strata counts in one
    of them, so that no sum of strata has it twice. -#}
{% macro strata_of(groups) -%}
counted as (
    {% for dimension, expression in groups.items() %}
    {{ strata_of_executions(dimension, expression) }}
    union all
    {{ strata_of_repeated_tasks(dimension, expression) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

strata as (
    select
        time_range,
        dimension,
        name,
        stratum,
        any_value(task_type) as task_type,
        {% for figure in ['trials', 'successes', 'tasks'] + repeated_sums() %}
        sum({{ figure }})::bigint as {{ figure }}{{ ',' if not loop.last }}
        {% endfor %}
    from counted
    group by time_range, dimension, name, stratum
),
{%- endmacro %}


{#- The sums over the tasks of a stratum that were executed more than once. -#}
{% macro repeated_sums() -%}
    {{ return([
        'repeated_tasks',
        'repeated_trials',
        'repeated_successes',
        'success_squares',
        'success_trials',
        'trial_squares',
    ]) }}
{%- endmacro %}


{% macro strata_of_executions(dimension, expression) -%}
    select
        time_range,
        '{{ dimension }}' as dimension,
        {{ expression }} as name,
        hash(model_tier, task_type) as stratum,
        any_value(task_type) as task_type,
        count(*) as trials,
        count(*) filter (success) as successes,
        count(*) - count(*) filter (
            _task_text_id in (select _task_text_id from {{ ref('int_repeated_tasks') }})
        ) as tasks,
        {% for figure in repeated_sums() %}
        0 as {{ figure }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_executions_by_range') }}
    where {{ expression }} is not null
    group by time_range, {{ expression }}, hash(model_tier, task_type)
{%- endmacro %}
