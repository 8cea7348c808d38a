{#- Rates over executions, several of which may be runs of one task: its text says which. -#}


{#- CTEs up to `rates`: the rows of `figures`, each with the tasks of its executions and how far its rate
    is known. Only tasks that were executed more than once are grouped by task, which is what takes
    time; with `every_task` all are, whatever the last build knew. An execution without a text is a
    task of its own.
    keys: the columns of a group, or their names with an expression for each.
    executions: of what, where it is not int_executions_by_range. Figures and tasks name that view each,
    for DuckDB hands on a CTE that both read by copying it, which takes longer than to read twice.
    grouping: what to group by, where it is not just the keys. -#}
{% macro rates_by_task(
    keys, figures='figures', executions=none, successes='successful_count',
    trials='total_executions', success='success', every_task=false, grouping=none
) -%}
{%- set columns = keys if keys is mapping else dict(zip(keys, keys)) -%}
repeated_tasks as (
    select
        {% for name, expression in columns.items() %}
        {{ expression }} as {{ name }},
        {% endfor %}
        _task_text_id,
        count(*) as trials,
        count(*) filter ({{ success }}) as successes
    from {{ executions or ref('int_executions_by_range') }}
    where
        {% if every_task %}
        _task_text_id is not null
        {% else %}
        _task_text_id in (select _task_text_id from {{ ref('int_repeated_tasks') }})
        {% endif %}
    group by _task_text_id, {{ grouping or columns.values() | join(', ') }}
),

-- Never empty, because DuckDB 2.0.0 makes wrong sums of a join with nothing (2026-11).
repeated_sums as (
    select
        {{ columns | join(', ') }},
        {{ task_sums() }}
    from repeated_tasks
    group by {{ columns | join(', ') }}
    union all
    select {{ (['null'] * (columns | length + 7)) | join(', ') }}
),

sums_over_tasks as (
    select
        {{ figures }}.*,
        {{ with_single_tasks(figures ~ '.' ~ successes, figures ~ '.' ~ trials) }}
    from {{ figures }}
    left join repeated_sums
        on {{ same_group(figures, 'repeated_sums', columns) }}
),

rates as (
    {{ rates_of('sums_over_tasks', successes, trials) }}
)
{%- endmacro %}


{#- Whether two rows are of one group; all keys but the first may be NULL. -#}
{% macro same_group(left, right, keys) -%}
    {% for key in keys -%}
    {{ left }}.{{ key }} {{ '=' if loop.first else 'is not distinct from' }} {{ right }}.{{ key }}
    {{- ' and ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
