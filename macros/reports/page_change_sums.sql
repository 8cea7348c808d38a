{#- The sums that the ratios of the page's tiles are made of. -#}


{#- Aggregates of executions: both sums of each ratio, and the squares of those that are the only one
    of their task. -#}
{% macro ratio_sums() -%}
    {% for name, (of, over, _) in compared_ratios().items() %}
    {%- set weight = 'case when ' ~ of ~ ' is not null then ' ~ over ~ ' end' %}
    sum({{ of }}) as {{ name }}_of,
    sum({{ weight }}) as {{ name }}_over,
    count({{ of }}) filter (not is_repeated) as {{ name }}_tasks,
    sum(({{ of }}) * ({{ of }})) filter (not is_repeated) as {{ name }}_of_squares,
    sum({{ of }} * {{ over }}) filter (not is_repeated) as {{ name }}_products,
    sum({{ weight }} * {{ weight }}) filter (not is_repeated) as {{ name }}_over_squares
    {{- ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{#- Aggregates of tasks that were executed more than once. -#}
{% macro ratio_squares() -%}
    {% for name in compared_ratios() %}
    count({{ name }}_of) as {{ name }}_tasks,
    sum(pow({{ name }}_of, 2)) as {{ name }}_of_squares,
    sum({{ name }}_of * {{ name }}_over) as {{ name }}_products,
    sum(pow({{ name }}_over, 2)) as {{ name }}_over_squares
    {{- ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{#- Sums of sums, of groups of executions. -#}
{% macro summed(parts) -%}
    {% for name in compared_ratios() -%}
    {% set outer = loop -%}
    {% for part in parts -%}
    sum({{ name }}_{{ part }}) as {{ name }}_{{ part }}
    {{- ',' if not (loop.last and outer.last) }}
    {% endfor %}
    {% endfor %}
{%- endmacro %}


{#- CTEs up to `repeated_sums`: the squares of tasks that were executed more than once. -#}
{% macro repeated_ratio_sums(keys) -%}
repeated_groups as (
    select
        {{ keys | join(', ') }},
        _task_text_id,
        {{ ratio_sums() }}
    from executions
    where is_repeated
    group by {{ keys | join(', ') }}, _task_text_id
),

repeated_tasks as (
    select
        {{ keys | join(', ') }},
        {{ summed(['of', 'over']) }}
    from repeated_groups
    group by time_range, is_before, _task_text_id, {{ every_choice() }}
),

-- Never empty, because DuckDB 2.0.0 makes wrong sums of a join with nothing (2026-11).
repeated_sums as (
    select
        {{ keys | join(', ') }},
        {{ ratio_squares() }}
    from repeated_tasks
    group by {{ keys | join(', ') }}
    union all
    select {{ (['null'] * (5 + 4 * compared_ratios() | length)) | join(', ') }}
)
{%- endmacro %}
