{#- CTE `strata`: how many executions each member of these groups has by range and stratum, a tier
    and task type; and how many tasks. A task of several strata counts in one of them, so that no
    sum of strata has it twice. Only tasks that were executed more than once are grouped by task,
    which takes time. -#}
{% macro strata_of(groups) -%}
{%- set stratum = 'hash(model_tier, task_type)' -%}
{%- set repeated -%}
    _task_text_id in (select _task_text_id from {{ ref('int_repeated_tasks') }})
{%- endset -%}
counted as (
    {% for dimension, expression in groups.items() %}
    select
        time_range,
        '{{ dimension }}' as dimension,
        {{ expression }} as name,
        {{ stratum }} as stratum,
        count(*) as trials,
        count(*) filter (success) as successes,
        count(*) - count(*) filter ({{ repeated }}) as tasks
    from {{ ref('int_executions_by_range') }}
    where {{ expression }} is not null
    group by all
    union all
    select
        time_range,
        '{{ dimension }}' as dimension,
        name,
        stratum,
        0 as trials,
        0 as successes,
        count(*) as tasks
    from (
        select
            time_range,
            {{ expression }} as name,
            min({{ stratum }}) as stratum
        from {{ ref('int_executions_by_range') }}
        where {{ expression }} is not null and {{ repeated }}
        group by time_range, {{ expression }}, _task_text_id
    )
    group by time_range, name, stratum
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

strata as (
    select
        time_range,
        dimension,
        name,
        stratum,
        sum(trials)::bigint as trials,
        sum(successes)::bigint as successes,
        sum(tasks)::bigint as tasks
    from counted
    group by time_range, dimension, name, stratum
),
{%- endmacro %}
