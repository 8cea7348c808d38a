-- One row is a time range and a bucket of it: an hour of 1h and 24h, a UTC day of the longer ones.
{% set bucket_lengths = {'1h': 'hour', '24h': 'hour', '7d': 'day', '30d': 'day', '90d': 'day'} %}
with

buckets as (
    {% for time_range, length in time_ranges().items() %}
    select
        '{{ time_range }}' as time_range,
        '{{ bucket_lengths[time_range] }}' as bucket_length,
        unnest(generate_series(
            date_trunc('{{ bucket_lengths[time_range] }}', {{ utc_now() }} - interval {{ length }}),
            {{ utc_now() }},
            interval 1 {{ bucket_lengths[time_range] }}
        )) as bucket_start,
        -- The first bucket begins before its range, and only a part of it is in.
        bucket_start >= {{ utc_now() }} - interval {{ length }}
        and {{ is_complete('bucket_start', bucket_lengths[time_range]) }} as is_complete
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

figures as (
    select
        time_range,
        {{ bucket_of_range() }} as bucket_start,
        {{ execution_figures() }},
        {{ assigned_times() }} as assigned_time_count
    from {{ ref('int_executions_by_range') }}
    group by all
),

{{ rates_by_task({'time_range': 'time_range', 'bucket_start': bucket_of_range()}) }}

select
    buckets.time_range,
    buckets.bucket_length,
    buckets.bucket_start,
    buckets.is_complete,
    {{ figure_columns('rates') }},
    coalesce(rates.assigned_time_count, 0) as assigned_time_count
from buckets
left join rates
    on
        buckets.time_range = rates.time_range
        and buckets.bucket_start = rates.bucket_start
