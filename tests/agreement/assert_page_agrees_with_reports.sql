-- Groups of which the page shows other figures than the reports: without a choice, with one that is
-- a report's group, or over all choices of a filter together.
{% set dimensions = ['repo', 'model_tier', 'pool_type'] %}
{% set counts = ['total_executions', 'successful_count'] %}
{% set rate = ['success_rate', 'success_rate_lower', 'success_rate_upper'] %}
{% set averages = [
    'avg_duration', 'duration_known_count', 'total_cost', 'avg_cost', 'cost_known_count',
    'avg_quality', 'quality_known_count', 'avg_routing_confidence',
    'routing_confidence_known_count',
] %}
{% set every_figure = counts + rate + averages %}
{% set percentiles = ['p50_duration', 'p95_duration', 'p99_duration', 'duration_known_count'] %}
{% set views = [
    'figures', 'series', 'hours', 'task_types', 'errors', 'quality_bands', 'resources',
] %}
with

-- Each view of the page is worked out once, and read by several comparisons.
{% for view in views %}
page_{{ view }} as materialized (
    select * from {{ ref('rpt_page_' ~ view) }}
),

all_{{ view }} as (
    select * from page_{{ view }}
    where repo_place = 0 and model_tier_place = 0 and pool_type_place = 0
),
{% endfor %}

-- Values that are shown whole; the others have no name to be compared by.
{% for dimension in dimensions + ['task_type'] %}
named_{{ dimension }} as (
    select
        place as {{ dimension }}_place,
        choice as {{ dimension }}
    from {{ ref('rpt_page_choices') }}
    where column_name = '{{ dimension }}' and length(choice) < 200
),
{% endfor %}

{% for dimension in dimensions %}
by_{{ dimension }} as (
    select *
    from page_figures
    inner join named_{{ dimension }} using ({{ dimension }}_place)
    where
        {{ dimension }}_place > 0
        {% for other in dimensions if other != dimension %}
        and {{ other }}_place = 0
        {% endfor %}
),

sums_by_{{ dimension }} as (
    select
        time_range,
        sum(total_executions) as total_executions,
        sum(successful_count) as successful_count,
        sum(cost_known_count) as cost_known_count
    from page_figures
    where
        {{ dimension }}_place > 0
        {% for other in dimensions if other != dimension %}
        and {{ other }}_place = 0
        {% endfor %}
    group by time_range
),
{% endfor %}

by_task_type_and_tier as (
    select *
    from page_task_types
    inner join named_task_type using (task_type_place)
    inner join named_model_tier using (model_tier_place)
    where repo_place = 0 and pool_type_place = 0
),

-- The first bucket of a range begins before it.
whole_buckets as (
    select
        *,
        bucket_start as hour,
        bucket_start::date as date
    from all_series
    where
        (time_range, bucket_start) not in (
            select (time_range, min(bucket_start)) from {{ ref('rpt_time_series') }}
            group by time_range
        )
),

{% for report, dimension in {
    'rpt_success_by_repository': 'repo',
    'rpt_success_by_tier': 'model_tier',
    'rpt_durations_by_tier': 'model_tier',
    'rpt_cost_by_tier': 'model_tier',
    'rpt_success_by_pool': 'pool_type',
    'rpt_pools': 'pool_type',
    'rpt_task_types': 'task_type',
}.items() %}
named_{{ report }} as (
    select *
    from {{ ref(report) }}
    inner join named_{{ dimension }} using ({{ dimension }})
),
{% endfor %}

{% for report in ['rpt_task_type_tiers', 'rpt_efficiency'] %}
named_{{ report }} as (
    select *
    from {{ ref(report) }}
    inner join named_task_type using (task_type)
    inner join named_model_tier using (model_tier)
),
{% endfor %}

differences as (
    {{ unequal_rows({
        'performance': {
            'expected': 'from ' ~ ref('rpt_performance') ~ ' where total_executions > 0',
            'shown': 'from all_figures',
            'key': ['time_range'],
            'figures': every_figure + percentiles + ['avg_savings', 'savings_known_count'],
        },
        'sums by repository': {
            'expected': 'from ' ~ ref('rpt_performance') ~ ' where total_executions > 0',
            'shown': 'from sums_by_repo',
            'key': ['time_range'],
            'figures': counts + ['cost_known_count'],
        },
        'sums by tier': {
            'expected': 'from ' ~ ref('rpt_performance') ~ ' where total_executions > 0',
            'shown': 'from sums_by_model_tier',
            'key': ['time_range'],
            'figures': counts + ['cost_known_count'],
        },
        'sums by pool': {
            'expected': 'from ' ~ ref('rpt_performance') ~ ' where total_executions > 0',
            'shown': 'from sums_by_pool_type',
            'key': ['time_range'],
            'figures': counts + ['cost_known_count'],
        },
        'buckets': {
            'expected': 'from ' ~ ref('rpt_time_series') ~ ' where total_executions > 0',
            'shown': 'from all_series',
            'key': ['time_range', 'bucket_start'],
            'figures': every_figure,
        },
        'days': {
            'expected': 'from ' ~ ref('rpt_executions_by_day')
                ~ ' where total_executions > 0 and date in (select date from whole_buckets)',
            'shown': "from whole_buckets where time_range = '90d'",
            'key': ['date'],
            'figures': every_figure,
        },
        'durations by day': {
            'expected': 'from ' ~ ref('rpt_durations_by_day') ~ " where date in "
                ~ "(select date from whole_buckets where time_range = '30d')",
            'shown': "from whole_buckets where time_range = '30d'",
            'key': ['date'],
            'figures': percentiles,
        },
        'durations by hour': {
            'expected': 'from ' ~ ref('rpt_durations_by_hour') ~ " where hour in "
                ~ "(select hour from whole_buckets where time_range = '24h')",
            'shown': "from whole_buckets where time_range = '24h'",
            'key': ['hour'],
            'figures': percentiles,
        },
        'hours': {
            'expected': 'from ' ~ ref('rpt_executions_by_hour') ~ ' where total_executions > 0',
            'shown': 'from all_hours',
            'key': ['hour'],
            'figures': counts,
        },
        'errors': {
            'expected': 'from ' ~ ref('rpt_top_errors'),
            'shown': 'from all_errors',
            'key': ['time_range', 'error_type'],
            'same': ['last_error_at'],
            'figures': [
                'error_count', 'total_executions', 'error_rate', 'error_rate_lower',
                'error_rate_upper',
            ],
        },
        'quality bands': {
            'expected': 'from ' ~ ref('rpt_quality_bands'),
            'shown': 'from all_quality_bands',
            'key': ['time_range', 'quality_band'],
            'figures': ['total_executions', 'known_share', 'known_in_range'],
        },
        'resources': {
            'expected': 'from ' ~ ref('rpt_resources_by_duration'),
            'shown': 'from all_resources',
            'key': ['time_range', 'duration_bucket'],
            'figures': [
                'total_executions', 'avg_memory_mb', 'p95_memory_mb', 'memory_known_count',
                'avg_cpu_seconds', 'cpu_known_count',
            ],
        },
        'repositories': {
            'expected': 'from named_rpt_success_by_repository',
            'shown': 'from by_repo',
            'key': ['time_range', 'repo'],
            'figures': counts + rate,
        },
        'tiers': {
            'expected': 'from named_rpt_success_by_tier',
            'shown': 'from by_model_tier',
            'key': ['time_range', 'model_tier'],
            'figures': every_figure,
        },
        'durations by tier': {
            'expected': 'from named_rpt_durations_by_tier',
            'shown': 'from by_model_tier',
            'key': ['time_range', 'model_tier'],
            'figures': [
                'total_executions', 'avg_duration', 'total_cost', 'avg_cost', 'cost_known_count',
            ] + percentiles,
        },
        'costs by tier': {
            'expected': 'from named_rpt_cost_by_tier',
            'shown': 'from by_model_tier',
            'key': ['time_range', 'model_tier'],
            'figures': ['total_cost', 'avg_cost', 'avg_savings', 'savings_known_count'],
        },
        'outcomes by pool': {
            'expected': 'from named_rpt_success_by_pool',
            'shown': 'from by_pool_type',
            'key': ['time_range', 'pool_type'],
            'figures': counts + rate,
        },
        'pools': {
            'expected': 'from named_rpt_pools',
            'shown': 'from by_pool_type',
            'key': ['time_range', 'pool_type'],
            'figures': every_figure + ['p95_duration'],
        },
        'task types': {
            'expected': 'from named_rpt_task_types',
            'shown': 'from all_task_types inner join named_task_type using (task_type_place)',
            'key': ['time_range', 'task_type'],
            'figures': every_figure,
        },
        'task types by tier': {
            'expected': 'from named_rpt_task_type_tiers',
            'shown': 'from by_task_type_and_tier',
            'key': ['time_range', 'task_type', 'model_tier'],
            'figures': every_figure,
        },
        'efficiency': {
            'expected': 'from named_rpt_efficiency',
            'shown': 'from by_task_type_and_tier',
            'key': ['time_range', 'task_type', 'model_tier'],
            'figures': ['total_executions', 'cost_per_success', 'cost_known_success_count'],
        },
    }) }}
)

select * from differences
