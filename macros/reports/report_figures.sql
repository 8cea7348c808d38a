{#- What the reports have in common: the time ranges and the figures of a group of executions. -#}


{#- The ranges that people and agents ask for, with their lengths. -#}
{% macro time_ranges() %}
    {{ return({'1h': '1 hour', '24h': '24 hour', '7d': '7 day', '30d': '30 day', '90d': '90 day'}) }}
{% endmacro %}


{#- Whether an execution started in the time from so long ago to now. -#}
{% macro started_within(length) -%}
    timestamp between {{ utc_now() }} - interval {{ length }} and {{ utc_now() }}
{%- endmacro %}


{#- Executions once for each time range that they started in. Each range is a part of its own, so
    that a filter on time_range leaves the others' parts unread. -#}
{% macro in_time_ranges(executions='fct_executions') -%}
    {% for name, length in time_ranges().items() %}
    select
        '{{ name }}' as time_range,
        *
    from {{ ref(executions) }}
    where {{ started_within(length) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{#- Executions of a window of whole buckets that ends now. -#}
{% macro in_window(bucket, days) -%}
    select
        *,
        {{ bucket_of(bucket) }} as {{ bucket_column(bucket) }}
    from {{ ref('fct_executions') }}
    where timestamp between {{ window_start(bucket, days) }} and {{ utc_now() }}
{%- endmacro %}


{#- Every bucket of that window, those without executions too. -#}
{% macro buckets_of_window(bucket, days) -%}
    select
        unnest(generate_series(
            {{ window_start(bucket, days) }}, {{ utc_now() }}, interval 1 {{ bucket }}
        )){{ '::date' if bucket == 'day' }} as {{ bucket_column(bucket) }}
{%- endmacro %}


{#- Aggregates of a group of executions; each average with the rows that it is over. -#}
{% macro execution_figures() -%}
    count(*) as total_executions,
    count(*) filter (success) as successful_count,
    avg(duration_seconds) as avg_duration,
    count(duration_seconds) as duration_known_count,
    sum(actual_cost) as total_cost,
    avg(actual_cost) as avg_cost,
    count(actual_cost) as cost_known_count,
    avg(quality_score) as avg_quality,
    count(quality_score) as quality_known_count,
    avg(routing_confidence) as avg_routing_confidence,
    count(routing_confidence) as routing_confidence_known_count
{%- endmacro %}


{#- What a success costs, the failures beside it included, and over how many successes. -#}
{% macro success_cost_figures() -%}
    sum(actual_cost) / nullif(count(actual_cost) filter (success), 0) as cost_per_success,
    count(actual_cost) filter (success) as cost_known_success_count
{%- endmacro %}


{#- How much less was paid than expected, where both are known. -#}
{% macro savings_figures() -%}
    avg(cost_estimate::double - actual_cost) as avg_savings,
    count(cost_estimate + actual_cost) as savings_known_count
{%- endmacro %}


{% macro memory_figures() -%}
    avg(peak_memory_mb) as avg_memory_mb,
    quantile_cont(peak_memory_mb::double, 0.95) as p95_memory_mb,
    count(peak_memory_mb) as memory_known_count
{%- endmacro %}


{% macro cpu_figures() -%}
    avg(cpu_time_seconds) as avg_cpu_seconds,
    count(cpu_time_seconds) as cpu_known_count
{%- endmacro %}


{#- The columns that a report shows of those aggregates; `of` is the CTE that has them. -#}
{% macro figure_columns(of) -%}
    coalesce({{ of }}.total_executions, 0) as total_executions,
    coalesce({{ of }}.successful_count, 0) as successful_count,
    {{ rate_columns('success_rate', of ~ '.successful_count', of ~ '.total_executions') }},
    {{ of }}.avg_duration,
    coalesce({{ of }}.duration_known_count, 0) as duration_known_count,
    {{ of }}.total_cost,
    {{ of }}.avg_cost,
    coalesce({{ of }}.cost_known_count, 0) as cost_known_count,
    {{ of }}.avg_quality,
    coalesce({{ of }}.quality_known_count, 0) as quality_known_count,
    {{ of }}.avg_routing_confidence,
    coalesce({{ of }}.routing_confidence_known_count, 0) as routing_confidence_known_count
{%- endmacro %}


{#- A rate, its Wilson interval, and whether it is over enough trials to be learned from. -#}
{% macro rate_columns(name, successes, trials) -%}
    {{ rate_with_bounds(successes, trials, name) }},
    coalesce({{ trials }}, 0) >= {{ setting('min_samples_for_learning', '10') }} as has_enough_samples
{%- endmacro %}


{#- Interpolated percentiles of the duration, as a list: the 50th, 95th and 99th. -#}
{% macro duration_percentiles() -%}
    quantile_cont(duration_seconds::double, [0.5, 0.95, 0.99])
{%- endmacro %}


{#- How far the cost that came up is from the expected one, in percent of it; NULL where one of
    them is unknown or the expected one is 0. -#}
{% macro cost_error_pct() -%}
    abs(actual_cost::double - cost_estimate) / nullif(cost_estimate, 0)::double * 100
{%- endmacro %}


{#- Pearson's correlation; NULL where one of the two does not vary. Rounding can leave it a little
    beyond 1. -#}
{% macro correlation(y, x) -%}
    if(
        isfinite(corr({{ y }}, {{ x }})),
        greatest(least(corr({{ y }}, {{ x }}), 1), -1),
        null
    )
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


{#- The share of a quality band among the executions of its range whose quality is known. -#}
{% macro known_share() -%}
    quality_known_count / nullif(if(quality_band = 'unknown', 0, known_in_range), 0)
{%- endmacro %}


{#- The bucket of a time range that an execution is in: an hour of the short ones, else a day. -#}
{% macro bucket_of_range() -%}
    if(
        time_range in ('1h', '24h'),
        date_trunc('hour', timestamp),
        timestamp::date::timestamp
    )
{%- endmacro %}
