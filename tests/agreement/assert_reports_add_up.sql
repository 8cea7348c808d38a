-- Time ranges of which a report's groups do not add up to all that was executed in it.
{% set reports = [
    'rpt_time_series', 'rpt_duration_buckets', 'rpt_success_by_tier', 'rpt_success_by_pool',
    'rpt_success_by_repository', 'rpt_cost_by_tier', 'rpt_efficiency', 'rpt_quality_bands',
    'rpt_quality_by_tier', 'rpt_pools', 'rpt_repositories', 'rpt_complexity', 'rpt_task_types',
    'rpt_task_type_tiers', 'rpt_resources_by_pool', 'rpt_resources_by_duration'
] %}
with

sums as (
    {% for report in reports %}
    select
        '{{ report }}' as report,
        time_range,
        sum(total_executions) as total_executions
    from {{ ref(report) }}
    group by time_range
    union all
    {% endfor %}
    select
        'rpt_top_errors' as report,
        time_range,
        sum(error_count) as total_executions
    from {{ ref('rpt_top_errors') }}
    group by time_range
),

reports as (
    select distinct report from sums
),

expected as (
    select
        reports.report,
        performance.time_range,
        performance.total_executions
        - if(reports.report = 'rpt_top_errors', performance.successful_count, 0)
            as total_executions
    from {{ ref('rpt_performance') }} as performance
    cross join reports
)

select
    expected.report,
    expected.time_range,
    expected.total_executions,
    sums.total_executions as reported
from expected
left join sums
    on expected.report = sums.report and expected.time_range = sums.time_range
where expected.total_executions != coalesce(sums.total_executions, 0)
