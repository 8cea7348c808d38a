{#- Classes of executions, and figures of a single one. -#}


{#- How far the cost that came up is from the expected one, in percent of it; NULL where one of
    them is unknown or the expected one is 0. -#}
{% macro cost_error_pct() -%}
    abs(actual_cost::double - cost_estimate) / nullif(cost_estimate, 0)::double * 100
{%- endmacro %}


{% macro duration_bucket() -%}
    case
        when duration_seconds < 10 then 'fast'
        when duration_seconds < 60 then 'medium'
        when duration_seconds >= 60 then 'slow'
        else 'unknown'
    end
{%- endmacro %}


{% macro quality_band() -%}
    case
        when quality_score >= 90 then 'excellent'
        when quality_score >= 75 then 'good'
        when quality_score >= 60 then 'fair'
        when quality_score >= 0 then 'poor'
        else 'unknown'
    end
{%- endmacro %}


{% macro complexity_band() -%}
    case
        when complexity_score < 20 then '0-19'
        when complexity_score < 40 then '20-39'
        when complexity_score < 60 then '40-59'
        when complexity_score < 80 then '60-79'
        when complexity_score >= 80 then '80-100'
        else 'unknown'
    end
{%- endmacro %}


{#- The share of a quality band among the executions of its range whose quality is known. -#}
{% macro known_share() -%}
    quality_known_count / nullif(case when quality_band = 'unknown' then 0 else known_in_range end, 0)
{%- endmacro %}
