{#- The thresholds of alerts: a given one takes the place of the seed's for a warning; what is critical
    stays so, unless the given one is beyond it. -#}
{% macro given_thresholds() -%}
    select
        * exclude (seed_threshold),
        coalesce(threshold = given_threshold, false) as is_given
    from (
        select
            * exclude (threshold),
            threshold as seed_threshold,
            case
                when alert_name in ('success_rate', 'daily_success_rate') then success_rate_threshold
                when alert_name = 'avg_duration' then avg_duration_threshold
                when alert_name = 'database_size' then db_size_threshold_mb
            end::double as given_threshold,
            case
                when severity = 'warning' then coalesce(given_threshold, seed_threshold)
                when raised_when = 'under' then least(given_threshold, seed_threshold)
                else greatest(given_threshold, seed_threshold)
            end as threshold
        from {{ ref('alert_thresholds') }}
    )
{%- endmacro %}


{#- Whether a value breaks a threshold; an unknown one does not. -#}
{% macro is_beyond(value, thresholds) -%}
    coalesce(
        case {{ thresholds }}.raised_when
            when 'under' then {{ value }} < {{ thresholds }}.threshold
            when 'over' then {{ value }} > {{ thresholds }}.threshold
            else {{ value }} >= {{ thresholds }}.threshold
        end,
        false
    )
{%- endmacro %}


{#- What is measured, beside each threshold for it, and whether it breaks it; where that is so of more
    than half of the last 28 days, it is always so. What was given in an argument always acts. -#}
{% macro compared_alerts(measured, thresholds, usual) -%}
    select
        measured.*,
        thresholds.severity,
        thresholds.raised_when,
        thresholds.unit,
        thresholds.reason,
        thresholds.threshold,
        usual.buckets,
        usual.judged_count,
        usual.broken_count,
        measured.has_enough_samples and {{ is_beyond('measured.value', 'thresholds') }} as is_broken,
        is_broken
        and not thresholds.is_given
        and coalesce(usual.judged_count, 0) >= {{ setting('min_samples_for_learning', '10') }}
        and coalesce(2 * usual.broken_count > usual.judged_count, false) as is_always_so,
        is_broken and not is_always_so as is_raised
    from {{ measured }} as measured
    inner join {{ thresholds }} as thresholds
        on measured.alert_name = thresholds.alert_name
    left join {{ usual }} as usual
        on
            thresholds.alert_name = usual.alert_name
            and thresholds.severity = usual.severity
{%- endmacro %}
