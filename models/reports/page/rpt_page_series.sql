-- One row is a time range, a bucket of it and a choice of every filter of the page in it.
with

executions as not materialized (
    {{ page_executions() }}
),

figures as (
    select
        time_range,
        {{ bucket_of_range() }} as bucket_start,
        repo_place,
        model_tier_place,
        pool_type_place,
        {{ execution_figures() }},
        {{ duration_percentiles() }} as durations,
        {{ success_cost_figures() }}
    from executions
    group by time_range, bucket_start, {{ every_choice() }}
),

{{ rates_by_task({
    'time_range': 'time_range', 'bucket_start': bucket_of_range(), 'repo_place': 'repo_place',
    'model_tier_place': 'model_tier_place', 'pool_type_place': 'pool_type_place'
}, executions='executions', grouping='time_range, bucket_start, ' ~ every_choice()) }}

select
    rates.time_range,
    rates.bucket_start,
    {{ choice_columns('rates') }},
    {{ figure_columns('rates') }},
    rates.durations[1] as p50_duration,
    rates.durations[2] as p95_duration,
    rates.durations[3] as p99_duration,
    rates.cost_per_success,
    rates.cost_known_success_count
from rates
