{#- What one alert is measured as. -#}
{% macro measured_alert(alert_name, source, value, sample_count, finding, enough='true', model_tier='null::varchar') -%}
    select
        '{{ alert_name }}' as alert_name,
        {{ model_tier }} as model_tier,
        {{ value }} as value,
        {{ sample_count }} as sample_count,
        {{ enough }} as has_enough_samples,
        {{ finding | trim }} as finding
    from {{ source }}
{%- endmacro %}
