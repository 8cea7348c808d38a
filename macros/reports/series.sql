{#- Each bucket of a window, with what is `shown` of the `figures` of its executions, and of the rate of
    those of which `rate_of` is true, where it is given. -#}
{% macro in_series(bucket, days, figures, shown, rate_of=none) -%}
{%- set column = bucket_column(bucket) -%}
with

executions as not materialized (
    {{ in_window(bucket, days) }}
),

buckets as (
    {{ buckets_of_window(bucket, days) }}
),

sums as (
    select
        {{ column }},
        {{ figures }},
        {{ assigned_times() }} as assigned_time_count
    from executions
    group by {{ column }}
),

{% if rate_of %}
{{ rates_by_task([column], 'sums', 'executions', successes=rate_of[0], success=rate_of[1]) }}
{% else %}
rates as (
    select * from sums
)
{% endif %}

select
    buckets.{{ column }},
    {{ is_complete('buckets.' ~ column, bucket) }} as is_complete,
    {{ shown }},
    coalesce(rates.assigned_time_count, 0) as assigned_time_count
from buckets
left join rates
    on buckets.{{ column }} = rates.{{ column }}
{%- endmacro %}


{#- What was executed in each bucket of a window. -#}
{% macro executions_in_series(bucket, days) -%}
{{ in_series(bucket, days, execution_figures(), figure_columns('rates'), ['successful_count', 'success']) }}
{%- endmacro %}


{#- The percentiles of duration in each bucket of a window. -#}
{% macro durations_in_series(bucket, days) -%}
{%- set figures -%}
    {{ duration_percentiles() }} as durations,
    count(duration_seconds) as duration_known_count
{%- endset -%}
{%- set shown -%}
    rates.durations[1] as p50_duration,
    rates.durations[2] as p95_duration,
    rates.durations[3] as p99_duration,
    coalesce(rates.duration_known_count, 0) as duration_known_count
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
    coalesce(rates.total_executions, 0) as total_executions,
    coalesce(rates.failed_count, 0) as failed_count,
    coalesce(rates.timeout_count, 0) as timeout_count,
    {{ rate_over_tasks('error_rate', 'rates', 'failed_count', 'total_executions') }}
{%- endset -%}
{{ in_series(bucket, days, figures, shown, ['failed_count', 'not success']) }}
{%- endmacro %}
