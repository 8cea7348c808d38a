{#- A place's last sample of each UTC day of the last 30. -#}
{% macro daily_storage_samples() -%}
    select
        name as place,
        sampled_at::date as date,
        sampled_at,
        size_bytes,
        row_count
    from {{ ref('stg_storage_samples') }}
    where
        kind = 'place'
        and sampled_at between {{ window_start('day', 30) }} and {{ utc_now() }}
    qualify
        row_number() over (partition by name, sampled_at::date order by sampled_at desc) = 1
{%- endmacro %}


{#- The day on which a place reaches the threshold of this severity, and that threshold. -#}
{% macro days_of_threshold(projections, level) -%}
    select
        place,
        threshold_bytes,
        case
            when size_bytes >= threshold_bytes then sampled_at::date
            when
                growth_bytes_a_day > 0
                and (is_at_limit or projected_bytes >= threshold_bytes)
                and days_left < 36500
                then sampled_at::date + ceil(days_left)::integer
        end as reached_on
    from (
        select
            *,
            thresholds.threshold * 1e6 as threshold_bytes,
            (threshold_bytes - size_bytes) / growth_bytes_a_day as days_left
        from {{ projections }} as projections
        inner join {{ ref('alert_thresholds') }} as thresholds
            on
                projections.place = 'database'
                and thresholds.alert_name = 'database_size'
                and thresholds.severity = '{{ level }}'
    )
{%- endmacro %}


{#- How many bytes a day each place grows by, through its samples. -#}
{% macro storage_growth(daily_samples) -%}
    select
        place,
        -- The slope through a single sample is no number.
        case
            when count(*) > 1
                then round(regr_slope(size_bytes, epoch(sampled_at) / 86400))::bigint
        end as growth_bytes_a_day
    from {{ daily_samples }}
    group by place
{%- endmacro %}
