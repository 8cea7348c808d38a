{#- The thresholds of alerts: a given one takes the place of the seed's for a warning; what is critical
    stays so, unless the given one is beyond it. -#}
{% macro given_thresholds() -%}
    select
        alert_name,
        severity,
        raised_when,
        unit,
        reason,
        case
            when alert_name in ('success_rate', 'daily_success_rate') then success_rate_threshold
            when alert_name = 'avg_duration' then avg_duration_threshold
            when alert_name = 'database_size' then db_size_threshold_mb
        end::double as given_threshold,
        case
            when severity = 'warning' then coalesce(given_threshold, threshold)
            when raised_when = 'under' then least(given_threshold, threshold)
            else greatest(given_threshold, threshold)
        end as threshold
    from {{ ref('alert_thresholds') }}
{%- endmacro %}


{#- What is measured, beside each threshold for it, and whether it is raised by that. -#}
{% macro compared_alerts(measured, thresholds) -%}
    select
        measured.*,
        thresholds.severity,
        thresholds.raised_when,
        thresholds.unit,
        thresholds.reason,
        thresholds.threshold,
        measured.has_enough_samples and coalesce(
            case thresholds.raised_when
                when 'under' then measured.value < thresholds.threshold
                when 'over' then measured.value > thresholds.threshold
                else measured.value >= thresholds.threshold
            end,
            false
        ) as is_raised
    from {{ measured }} as measured
    inner join {{ thresholds }} as thresholds
        on measured.alert_name = thresholds.alert_name
{%- endmacro %}
