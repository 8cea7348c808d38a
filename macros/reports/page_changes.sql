{#- What the page's tiles compare with the range before: ratios of two sums over executions, whose
    intervals take runs of one task for what they are. -#}


{#- By their names what they are of and over, and whether more is better or worse. An execution whose
    value is not known is left out of both. -#}
{% macro compared_ratios() %}
    {{ return({
        'success_rate': ['success::integer', '1', 'better'],
        'cost_per_success': ['actual_cost::double', 'success::integer', 'worse'],
        'avg_duration': ['duration_seconds::double', '1', 'worse'],
        'avg_quality': ['quality_score::double', '1', 'better']
    }) }}
{% endmacro %}


{#- Executions of each time range and of the one before it, with the places of their values. -#}
{% macro executions_and_before() -%}
    {% for time_range, length in time_ranges().items() %}
    select
        '{{ time_range }}' as time_range,
        executions.timestamp < {{ utc_now() }} - interval {{ length }} as is_before,
        executions.*,
        executions._task_text_id in (select _task_text_id from {{ ref('int_repeated_tasks') }})
            as is_repeated,
        {{ place_columns(['repo', 'model_tier', 'pool_type']) }}
    from {{ ref('fct_executions') }} as executions
    {{ join_places(['repo', 'model_tier', 'pool_type']) }}
    where
        executions.timestamp >= {{ utc_now() }} - 2 * interval {{ length }}
        and executions.timestamp <= {{ utc_now() }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{#- Aggregates of executions: both sums of each ratio, and the squares of those that are the only one
    of their task. -#}
{% macro ratio_sums() -%}
    {% for name, (of, over, _) in compared_ratios().items() %}
    {%- set weight = 'case when ' ~ of ~ ' is not null then ' ~ over ~ ' end' %}
    sum({{ of }}) as {{ name }}_of,
    sum({{ weight }}) as {{ name }}_over,
    count({{ of }}) filter (not is_repeated) as {{ name }}_tasks,
    sum(pow({{ of }}, 2)) filter (not is_repeated) as {{ name }}_of_squares,
    sum({{ of }} * {{ over }}) filter (not is_repeated) as {{ name }}_products,
    sum(pow({{ weight }}, 2)) filter (not is_repeated) as {{ name }}_over_squares
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
