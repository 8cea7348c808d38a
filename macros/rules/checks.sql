{#- The names of the rules of a kind, as literals of SQL. -#}
{% macro names_of_rules(on_break) -%}
    {% for name, rule in var('execution_rules').items() if rule.on_break == on_break %}
    '{{ name }}'{{ ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{#- Of each rule that warns, and of what is no rule, how many rows of executions break it. -#}
{% macro warned_checks(executions) -%}
    select
        'warned' as check_kind,
        count(*) as checked_count,
        unnest([
            {% for name, rule in var('execution_rules').items() if rule.on_break == 'warn' %}
            {
                'name': '{{ name }}',
                'failing': count(*) filter (not ({{ rule.holds }}))
            },
            {% endfor %}
            {
                'name': 'model_tier_unknown',
                'failing': count(*) filter (model_tier not in ('small', 'medium', 'large'))
            },
            {
                'name': 'timestamp_after_now',
                'failing': count(*) filter (timestamp > {{ utc_now() }})
            }
        ]) as warning
    from {{ executions }}
{%- endmacro %}


{#- Of the last days, how many rows are the same task of a repository at one moment, under another id. -#}
{% macro recorded_twice(executions) -%}
    select
        'recorded_twice' as check_name,
        'warned' as check_kind,
        coalesce(sum(times), 0)::bigint as checked_count,
        coalesce(sum(times - 1), 0)::bigint as failing_count
    from (
        select count(*) as times
        from {{ executions }}
        where {{ started_within('7 day') }}
        group by timestamp, repo, _task_text_id
    ) as recordings
{%- endmacro %}
