{#- Figures of each day or hour of a window. -#}


{#- Each bucket of a window, with what is `shown` of the `figures` of its executions. -#}
{% macro in_series(bucket, days, figures, shown) -%}
{%- set column = bucket_column(bucket) -%}
with

executions as (
    {{ in_window(bucket, days) }}
),

buckets as (
    {{ buckets_of_window(bucket, days) }}
),

figures as (
    select
        {{ column }},
        {{ figures }}
    from executions
    group by {{ column }}
)

select
    buckets.{{ column }},
    {{ is_complete('buckets.' ~ column, bucket) }} as is_complete,
    {{ shown }}
from buckets
left join figures
    on buckets.{{ column }} = figures.{{ column }}
{%- endmacro %}


{#- What was executed in each bucket of a window. -#}
{% macro executions_in_series(bucket, days) -%}
{{ in_series(bucket, days, execution_figures(), figure_columns('figures')) }}
{%- endmacro %}


{#- The percentiles of duration in each bucket of a window. -#}
{% macro durations_in_series(bucket, days) -%}
{%- set figures -%}
    {{ duration_percentiles() }} as durations,
    count(duration_seconds) as duration_known_count
{%- endset -%}
{%- set shown -%}
    figures.durations[1] as p50_duration,
    figures.durations[2] as p95_duration,
    figures.durations[3] as p99_duration,
    coalesce(figures.duration_known_count, 0) as duration_known_count
{%- endset -%}
{{ in_series(bucket, days, figures, shown) }}
{%- endmacro %}


{#- How much failed in each bucket of a window. -#}
{% macro error_rate_in_series(bucket, days) -%}
{%- set figures -%}
    count(*) as total_executions,
    count(*) filter (not success) as failed_count,
    count(*) filter (not success and error_type = 'timeout') as timeout_count
{%- endset -%}
{%- set shown -%}
    coalesce(figures.total_executions, 0) as total_executions,
    coalesce(figures.failed_count, 0) as failed_count,
    coalesce(figures.timeout_count, 0) as timeout_count,
    {{ rate_columns('error_rate', 'figures.failed_count', 'figures.total_executions') }}
{%- endset -%}
{{ in_series(bucket, days, figures, shown) }}
{%- endmacro %}
