{#- CTEs up to `drops`: groups of executions in the last 24 hours, and in the 30 days before them, each with its
    rate and its interval over tasks, and by how much the rate dropped: what alerts of a drop and reports of
    one compare. Both times may have tasks in common, of which the interval knows nothing: it is then rather
    too wide.
    now: the moment, an SQL expression.
    groups: what the groups are by, an SQL expression each, by the name of its dimension.
    whole: whether all executions are a group, too, of the dimension `all`; `groups` is then of one. -#}
{% macro past_and_recent(now, groups, whole=false) -%}
{%- set dimension = "case when grouping(name) = 1 then 'all' else compared_runs.dimension end"
    if whole else 'compared_runs.dimension' -%}
{%- set grouping = 'compared_runs.dimension, is_recent, ' ~ ('rollup (name)' if whole else 'name') -%}
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
        {{ dimension }} as dimension,
        name,
        is_recent,
        count(*) as total_executions,
        count(*) filter (success) as successful_count,
        {{ assigned_times() }} as assigned_time_count
    from compared_runs
    group by {{ grouping }}
),

{{ rates_by_task(
    {'dimension': dimension, 'name': 'name', 'is_recent': 'is_recent'},
    figures='halves', executions='compared_runs', grouping=grouping
) }},

{{ drops_of_halves() }}
{%- endmacro %}
