{#- Memory and CPU of a group of executions. -#}


{% macro memory_figures() -%}
    avg(peak_memory_mb) as avg_memory_mb,
    quantile_cont(peak_memory_mb::double, 0.95) as p95_memory_mb,
    count(peak_memory_mb) as memory_known_count
{%- endmacro %}


{% macro cpu_figures() -%}
    avg(cpu_time_seconds) as avg_cpu_seconds,
    count(cpu_time_seconds) as cpu_known_count
{%- endmacro %}


{#- Pearson's correlation; NULL where one of the two does not vary. Rounding can leave it a little
    beyond 1. -#}
{% macro correlation(y, x) -%}
    case
        when isfinite(corr({{ y }}, {{ x }})) then greatest(least(corr({{ y }}, {{ x }}), 1), -1)
    end
{%- endmacro %}


{#- Memory and CPU of the groups of each time range; `expression` says which group a row is of. -#}
{% macro resources_by(expression, name) -%}
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
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
