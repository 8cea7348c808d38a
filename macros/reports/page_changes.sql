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


{#- The CTE `executions`: those of each time range and of the one before it, with the places of their
    values, which are looked up once. -#}
{% macro executions_and_before() -%}
placed as (
    select
        {% for column in [
            'timestamp', '_task_text_id', 'success', 'actual_cost', 'duration_seconds', 'quality_score'
        ] %}
        executions.{{ column }},
        {% endfor %}
        -- An execution without a text is a task of its own.
        coalesce(
            executions._task_text_id in (select _task_text_id from {{ ref('int_repeated_tasks') }}),
            false
        ) as is_repeated,
        {{ place_columns(['repo', 'model_tier', 'pool_type']) }}
    from {{ ref('fct_executions') }} as executions
    {{ join_places(['repo', 'model_tier', 'pool_type']) }}
    where executions.timestamp between {{ utc_now() }} - 2 * interval 90 day and {{ utc_now() }}
),

executions as not materialized (
    {% for time_range, length in time_ranges().items() %}
    select
        '{{ time_range }}' as time_range,
        timestamp < {{ utc_now() }} - interval {{ length }} as is_before,
        *
    from placed
    where timestamp >= {{ utc_now() }} - 2 * interval {{ length }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)
{%- endmacro %}


{#- The CTE `ranges`: whether executions were recorded when the range before began; else there is less of
    it to count. -#}
{% macro ranges_with_one_before() -%}
ranges as (
    {% for time_range, length in time_ranges().items() %}
    select
        '{{ time_range }}' as time_range,
        coalesce(min(timestamp) <= {{ utc_now() }} - 2 * interval {{ length }}, false) as has_before
    from {{ ref('fct_executions') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)
{%- endmacro %}
