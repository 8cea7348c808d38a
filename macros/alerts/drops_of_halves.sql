{#- CTEs up to `drops`: of the CTEs `halves` and `rates`, both times of a group side by side, and by how much its
    rate dropped. -#}
{% macro drops_of_halves() -%}
bounded as (
    select
        *,
        {{ rate_bound('_rate', '_rate_variance', '_rate_t', '-') }} as _lower,
        {{ rate_bound('_rate', '_rate_variance', '_rate_t', '+') }} as _upper
    from rates
),

members as (
    select
        dimension,
        name,
        sum(assigned_time_count)::bigint as assigned_time_count
    from halves
    group by dimension, name
),

-- Joined, for bounds are worked out anew for each aggregate over them, and planned so.
pasts as (
    select
        members.*,
        {% for half in ['recent', 'past'] %}
        {% for column, source in {
            'count': 'total_executions', 'successes': 'successful_count', 'tasks': 'task_count'
        }.items() %}
        coalesce({{ half }}.{{ source }}, 0)::bigint as {{ half }}_{{ column }},
        {% endfor %}
        {% for figure in ['rate', 'lower', 'upper'] %}
        {{ half }}._{{ figure }} as {{ half }}_{{ figure }}{{ ',' if not loop.last }}
        {% endfor %}
        {{- ',' if not loop.last }}
        {% endfor %}
    from members
    {% for half, sign in {'recent': '', 'past': 'not '}.items() %}
    left join bounded as {{ half }}
        on
            {{ same_group('members', half, ['dimension', 'name']) }}
            and {{ sign }}{{ half }}.is_recent
    {% endfor %}
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
