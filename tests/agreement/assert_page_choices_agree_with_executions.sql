-- Groups of which the page shows other figures than the executions of its choices have, worked out
-- here anew: the most used repository with the most used tier, and the most used pool.
{% set views = [
    'figures', 'series', 'hours', 'task_types', 'errors', 'quality_bands', 'resources',
] %}
with

now as (
    select as_of from {{ ref('rpt_page_age') }}
),

ranges as (
    {% for time_range, length in time_ranges().items() %}
    select
        '{{ time_range }}' as time_range,
        as_of - interval {{ length }} as since,
        as_of as until
    from now
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

every_execution as materialized (
    select
        ranges.time_range,
        executions.*
    from {{ ref('fct_executions') }} as executions
    inner join ranges
        on executions.timestamp between ranges.since and ranges.until
),

{% for column in ['repo', 'model_tier', 'pool_type', 'task_type'] %}
first_{{ column }} as (
    select {{ column }}
    from every_execution
    where time_range = '90d'
    group by {{ column }}
    order by
        count(*) desc,
        {{ column }} asc
    limit 1
),
{% endfor %}

{% set chosen = {'repo and tier': [1, 1, 0], 'pool': [0, 0, 1]} %}
executions as (
    select
        *,
        'repo and tier' as choice
    from every_execution
    where repo = (from first_repo) and model_tier = (from first_model_tier)
    union all
    select
        *,
        'pool' as choice
    from every_execution
    where pool_type = (from first_pool_type)
),

{% for view in views %}
page_{{ view }} as materialized (
    select * from {{ ref('rpt_page_' ~ view) }}
),

shown_{{ view }} as (
    {% for choice, (repo, tier, pool) in chosen.items() %}
    select
        *,
        '{{ choice }}' as choice
    from page_{{ view }}
    where
        repo_place = {{ repo }} and model_tier_place = {{ tier }} and pool_type_place = {{ pool }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),
{% endfor %}

figures as (
    select
        time_range,
        choice,
        count(*) as total_executions,
        sum(success::integer) as successful_count,
        avg(success::integer) as success_rate,
        avg(duration_seconds) as avg_duration,
        quantile_cont(duration_seconds::double, 0.5) as p50_duration,
        quantile_cont(duration_seconds::double, 0.95) as p95_duration,
        quantile_cont(duration_seconds::double, 0.99) as p99_duration,
        sum(actual_cost) as total_cost,
        sum(actual_cost)
        / nullif(sum((success and actual_cost is not null)::integer), 0) as cost_per_success,
        avg(cost_estimate::double - actual_cost) as avg_savings,
        avg(quality_score) as avg_quality,
        avg(routing_confidence) as avg_routing_confidence
    from executions
    group by time_range, choice
),

buckets as (
    select
        time_range,
        choice,
        date_trunc(if(time_range in ('1h', '24h'), 'hour', 'day'), timestamp)::timestamp
            as bucket_start,
        count(*) as total_executions,
        avg(success::integer) as success_rate,
        quantile_cont(duration_seconds::double, 0.95) as p95_duration,
        sum(actual_cost) as total_cost
    from executions
    group by all
),

hours as (
    select
        choice,
        date_trunc('hour', timestamp) as hour,
        count(*) as total_executions,
        sum(success::integer) as successful_count
    from executions
    where
        time_range = '30d'
        and timestamp >= (select date_trunc('hour', as_of - interval 7 day) from now)
    group by all
),

task_types as (
    select
        time_range,
        choice,
        count(*) as total_executions,
        avg(success::integer) as success_rate,
        sum(actual_cost)
        / nullif(sum((success and actual_cost is not null)::integer), 0) as cost_per_success
    from executions
    where task_type = (from first_task_type)
    group by all
),

errors as (
    select
        time_range,
        choice,
        coalesce(error_type, 'unknown') as error_type,
        count(*) as error_count,
        max(timestamp) as last_error_at
    from executions
    where not success
    group by all
),

bands as (
    select
        time_range,
        choice,
        case
            when quality_score is null then 'unknown'
            when quality_score < 60 then 'poor'
            when quality_score < 75 then 'fair'
            when quality_score < 90 then 'good'
            else 'excellent'
        end as quality_band,
        count(*) as total_executions
    from executions
    group by all
),

quality_bands as (
    select
        *,
        case
            when quality_band != 'unknown'
                then total_executions / sum(total_executions) filter (quality_band != 'unknown')
                    over (partition by time_range, choice)
        end as known_share
    from bands
),

resources as (
    select
        time_range,
        choice,
        case
            when duration_seconds is null then 'unknown'
            when duration_seconds >= 60 then 'slow'
            when duration_seconds >= 10 then 'medium'
            else 'fast'
        end as duration_bucket,
        count(*) as total_executions,
        avg(peak_memory_mb) as avg_memory_mb,
        quantile_cont(peak_memory_mb::double, 0.95) as p95_memory_mb,
        count(peak_memory_mb) as memory_known_count,
        avg(cpu_time_seconds) as avg_cpu_seconds,
        count(cpu_time_seconds) as cpu_known_count
    from executions
    group by all
),

differences as (
    {{ unequal_rows({
        'figures': {
            'expected': 'from figures',
            'shown': 'from shown_figures',
            'key': ['time_range', 'choice'],
            'figures': [
                'total_executions', 'successful_count', 'success_rate', 'avg_duration',
                'p50_duration', 'p95_duration', 'p99_duration', 'total_cost', 'cost_per_success',
                'avg_savings', 'avg_quality', 'avg_routing_confidence',
            ],
        },
        'series': {
            'expected': 'from buckets',
            'shown': 'from shown_series',
            'key': ['time_range', 'choice', 'bucket_start'],
            'figures': ['total_executions', 'success_rate', 'p95_duration', 'total_cost'],
        },
        'hours': {
            'expected': 'from hours',
            'shown': 'from shown_hours',
            'key': ['hour', 'choice'],
            'figures': ['total_executions', 'successful_count'],
        },
        'task types': {
            'expected': 'from task_types',
            'shown': 'from shown_task_types where task_type_place = 1',
            'key': ['time_range', 'choice'],
            'figures': ['total_executions', 'success_rate', 'cost_per_success'],
        },
        'errors': {
            'expected': 'from errors',
            'shown': 'from shown_errors',
            'key': ['time_range', 'choice', 'error_type'],
            'same': ['last_error_at'],
            'figures': ['error_count'],
        },
        'quality bands': {
            'expected': 'from quality_bands',
            'shown': 'from shown_quality_bands',
            'key': ['time_range', 'choice', 'quality_band'],
            'figures': ['total_executions', 'known_share'],
        },
        'resources': {
            'expected': 'from resources',
            'shown': 'from shown_resources',
            'key': ['time_range', 'choice', 'duration_bucket'],
            'figures': [
                'total_executions', 'avg_memory_mb', 'p95_memory_mb', 'memory_known_count',
                'avg_cpu_seconds', 'cpu_known_count',
            ],
        },
    }) }}
)

select * from differences
