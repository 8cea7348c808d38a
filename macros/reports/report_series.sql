{#- Queries that are more than one report: by day and by hour, or of other groups. -#}


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


{#- Memory and CPU of the groups of each time range; `expression` says which group a row is of. -#}
{% macro resources_by(expression, name) -%}
with

executions as (
    {{ in_time_ranges() }}
),

usage as (
    select
        time_range,
        {{ expression }} as {{ name }},
        count(*) as total_executions,
        {{ memory_figures() }},
        max(peak_memory_mb) as max_memory_mb,
        {{ cpu_figures() }},
        max(cpu_time_seconds) as max_cpu_seconds,
        sum(cpu_time_seconds) filter (duration_seconds is not null) as timed_cpu_seconds,
        sum(duration_seconds) filter (cpu_time_seconds is not null) as cpu_known_duration,
        {{ correlation('duration_seconds', 'peak_memory_mb') }} as memory_correlation,
        regr_count(duration_seconds, peak_memory_mb)::bigint as memory_and_duration_known_count,
        {{ correlation('duration_seconds', 'cpu_time_seconds') }} as cpu_correlation,
        regr_count(duration_seconds, cpu_time_seconds)::bigint as cpu_and_duration_known_count
    from executions
    group by all
)

select
    time_range,
    {{ name }},
    total_executions,
    avg_memory_mb,
    p95_memory_mb,
    max_memory_mb,
    memory_known_count,
    avg_cpu_seconds,
    max_cpu_seconds,
    cpu_known_count,
    timed_cpu_seconds / nullif(cpu_known_duration, 0) as avg_cores,
    memory_correlation,
    memory_and_duration_known_count,
    cpu_correlation,
    cpu_and_duration_known_count
from usage
{%- endmacro %}


{#- A place's last sample of each UTC day of the last 30. -#}
{% macro daily_storage_samples() -%}
    select
        name as place,
        sampled_at::date as date,
        sampled_at,
        size_bytes,
        row_count
    from {{ ref('stg_storage_samples') }}
    where kind = 'place' and sampled_at >= {{ window_start('day', 30) }}
    qualify
        row_number() over (partition by name, sampled_at::date order by sampled_at desc) = 1
{%- endmacro %}
