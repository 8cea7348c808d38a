{#- CTEs up to `drops`: groups of executions in the last 24 hours, and in the 30 days before them, each with its
    rate and its interval over tasks, and by how much the rate dropped: what alerts of a drop and reports of
    one compare. Both times may have tasks in common, of which the interval knows nothing: it is then rather
    too wide.
    now: the moment, an SQL expression.
    groups: what the groups are by, an SQL expression each, by the name of its dimension. -#}
{% macro past_and_recent(now, groups) -%}
compared_runs as (
    select
        *,
        timestamp >= {{ now }} - interval 24 hour as is_recent,
        unnest([
            {% for dimension, expression in groups.items() %}
            {'dimension': '{{ dimension }}', 'name': {{ expression }}}{{ ',' if not loop.last }}
            {% endfor %}
        ], recursive := true)
    from (
        select
            timestamp,
            success,
            _task_text_id,
            _is_time_assigned,
            {{ groups.values() | reject('equalto', 'null::varchar') | join(', ') }}
        from {{ ref('fct_executions') }}
        where timestamp between {{ now }} - interval 744 hour and {{ now }}
    )
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

pasts as (
    select
        dimension,
        name,
        sum(assigned_time_count)::bigint as assigned_time_count,
        {% for half, condition in {'recent': 'is_recent', 'past': 'not is_recent'}.items() %}
        {% for column, source in {
            'count': 'total_executions', 'successes': 'successful_count', 'tasks': 'task_count'
        }.items() %}
        coalesce(sum({{ source }}) filter ({{ condition }}), 0)::bigint as {{ half }}_{{ column }},
        {% endfor %}
        {% set rate = 'successful_count / total_executions' %}
        max({{ rate }}) filter ({{ condition }}) as {{ half }}_rate,
        {% for bound, sign in {'lower': '-', 'upper': '+'}.items() %}
        max({{ rate_bound(rate, '_rate_variance', '_rate_t', sign) }}) filter ({{ condition }})
            as {{ half }}_{{ bound }}{{ ',' if not loop.last }}
        {% endfor %}
        {{- ',' if not loop.last }}
        {% endfor %}
    from rates
    group by dimension, name
),

drops as (
    select
        *,
        {{ difference_bound('past_rate', 'past_lower', 'recent_rate', 'recent_upper', '-') }}
            as least_drop,
        {{ difference_bound('past_rate', 'past_upper', 'recent_rate', 'recent_lower', '+') }}
            as largest_drop
    from pasts
)
{%- endmacro %}
