{#- Groups of executions in the last 24 hours, and in the 30 days before them: what alerts of a drop and
    reports of one compare.
    now: the moment, an SQL expression.
    group: what the groups are by, an SQL expression; name: its column. -#}
{% macro past_and_recent(now, group, name) -%}
    select
        {{ group }} as {{ name }},
        count(*) filter (is_recent) as recent_count,
        {{ assigned_times() }} as assigned_time_count,
        count(*) filter (is_recent and success) as recent_successes,
        count(*) filter (not is_recent) as past_count,
        count(*) filter (not is_recent and success) as past_successes
    from (
        select
            *,
            timestamp >= {{ now }} - interval 24 hour as is_recent
        from {{ ref('fct_executions') }}
        where timestamp between {{ now }} - interval 744 hour and {{ now }}
    )
    group by {{ name }}
{%- endmacro %}
