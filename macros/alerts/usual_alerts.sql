{#- What is so always teaches nobody. -#}


{#- CTEs up to `usual`: of each threshold, the hours or days of the last 28 days that could be judged, and
    those that broke it. An hour is 60 minutes back from the moment, as the last hour is. -#}
{% macro usual_alerts(now, thresholds) -%}
{%- set least = setting('min_samples_for_learning', '10') -%}
{%- for bucket, hours in {'hour': 1, 'day': 24}.items() %}
past_{{ bucket }}s as (
    select
        floor(epoch({{ now }} - timestamp) / {{ 3600 * hours }})::integer as age,
        {{ alert_sums() }}
    from {{ ref('fct_executions') }}
    where timestamp > {{ now }} - interval 672 hour and timestamp <= {{ now }}
    group by age
),
{% endfor %}
past_values as (
    {% for name, (bucket, value, samples, needed) in bucketed_alerts().items() %}
    select
        '{{ name }}' as alert_name,
        '{{ bucket }}s' as buckets,
        {{ value }} as value
    from past_{{ bucket }}s
    where {{ needed or samples }} >= {{ least if needed else 1 }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Never empty: DuckDB 2.0.0 makes wrong sums of a join with nothing (2026-11).
usual as (
    select
        past_values.alert_name,
        thresholds.severity,
        any_value(past_values.buckets) as buckets,
        count(*) as judged_count,
        count(*) filter ({{ is_beyond('past_values.value', 'thresholds') }}) as broken_count
    from past_values
    inner join {{ thresholds }} as thresholds
        on past_values.alert_name = thresholds.alert_name
    group by past_values.alert_name, thresholds.severity
    union all
    select
        null as alert_name,
        null as severity,
        null as buckets,
        0 as judged_count,
        0 as broken_count
)
{%- endmacro %}
