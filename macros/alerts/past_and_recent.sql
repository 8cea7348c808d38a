{#- CTEs up to `drops`: groups of executions in the last 24 hours, and in the 30 days before them, each with its
    rate and its interval over tasks, and by how much the rate dropped: what alerts of a drop and reports of
    one compare. Both times may have tasks in common, of which the interval knows nothing: it is then rather
    too wide.
    now: the moment, an SQL expression.
    groups: what the groups are by, an SQL expression each, by the name of its dimension. -#}
{% macro past_and_recent(now, groups) -%}
compared_runs as (
    {% for dimension, expression in groups.items() %}
    select
        '{{ dimension }}' as dimension,
        {{ expression }} as name,
        timestamp >= {{ now }} - interval 24 hour as is_recent,
        success,
        _task_text_id,
        _is_time_assigned
    from {{ ref('fct_executions') }}
    where timestamp between {{ now }} - interval 744 hour and {{ now }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

halves as (
    select
        dimension,
        name,
        is_recent,
        count(*) as total_executions,
        count(*) filter (success) as successful_count,
        {{ assigned_times() }} as assigned_time_count
    from compared_runs
    group by dimension, name, is_recent
),

{{ rates_by_task(
    ['dimension', 'name', 'is_recent'], figures='halves', executions='compared_runs'
) }},

{{ drops_of_halves() }}
{%- endmacro %}
