{#- The names of the rules of a kind, as literals of SQL. -#}
{% macro names_of_rules(on_break) -%}
    {% for name, rule in var('execution_rules').items() if rule.on_break == on_break %}
    '{{ name }}'{{ ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{#- Of each rule that warns, of what is not recorded, and of what is no rule, how many rows of
    executions break it, of how many that can. -#}
{% macro warned_checks(executions) -%}
    {%- set checks = {
        'model_tier_unknown': [
            'executions', 'true', "model_tier not in ('small', 'medium', 'large', 'unknown')"
        ],
        'timestamp_after_now': ['executions', 'true', 'timestamp > ' ~ utc_now()]
    } -%}
    {%- for column in ['task_type', 'repo', 'model_tier', 'pool_type'] -%}
    {%- do checks.update(
        {column ~ '_not_recorded': ['executions', 'true', column ~ " = 'unknown'"]}
    ) -%}
    {%- endfor -%}
    {%- for name, rule in var('execution_rules').items() if rule.on_break == 'warn' -%}
    {%- for what, among in (rule.among or {'executions': 'true'}).items() -%}
    {%- do checks.update({name: [what, among, 'not (' ~ rule.holds ~ ')']}) -%}
    {%- endfor -%}
    {%- endfor -%}
    select
        'warned' as check_kind,
        unnest([
            {% for name, (what, among, broken) in checks.items() %}
            {
                'name': '{{ name }}',
                'checked_rows': '{{ what }} of any time',
                'checked': count(*) filter ({{ among }}),
                'failing': count(*) filter ({{ broken }})
            }{{ ',' if not loop.last }}
            {% endfor %}
        ]) as warning
    from {{ executions }}
{%- endmacro %}


{#- Of the last days, how many rows are the same task of a repository at one moment, under another id. -#}
{% macro recorded_twice(executions) -%}
    select
        'recorded_twice' as check_name,
        'warned' as check_kind,
        'executions of the last 7 days' as checked_rows,
        coalesce(sum(times), 0)::bigint as checked_count,
        coalesce(sum(times - 1), 0)::bigint as failing_count
    from (
        select count(*) as times
        from {{ executions }}
        where {{ started_within('7 day') }}
        group by timestamp, repo, _task_text_id
    ) as recordings
{%- endmacro %}


{#- Of all files that were imported, how many rows could not be read. -#}
{% macro unreadable_rows() -%}
    select
        'unreadable_row' as check_name,
        'unreadable' as check_kind,
        'rows of all files' as checked_rows,
        coalesce(sum(row_count + unreadable_count), 0)::bigint as checked_count,
        coalesce(sum(unreadable_count), 0)::bigint as failing_count
    from {{ ref('stg_loaded_files') }}
{%- endmacro %}
