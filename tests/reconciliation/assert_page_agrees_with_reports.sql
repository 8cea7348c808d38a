-- Ranges and buckets of which the page shows other figures than the reports, without a choice or
-- over all choices of a filter together.
{% set dimensions = ['repo', 'model_tier', 'pool_type'] %}
with

{% for dimension in dimensions %}
by_{{ dimension }} as (
    select
        '{{ dimension }}' as dimension,
        time_range,
        sum(total_executions) as total_executions,
        sum(successful_count) as successful_count,
        sum(cost_known_count) as cost_known_count
    from {{ ref('rpt_page_figures') }}
    where
        {{ dimension }}_place > 0
        {% for other in dimensions if other != dimension %}
        and {{ other }}_place = 0
        {% endfor %}
    group by time_range
),
{% endfor %}

sums as (
    {% for dimension in dimensions %}
    select * from by_{{ dimension }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

unequal_sums as (
    select
        sums.dimension as figure,
        sums.time_range
    from sums
    inner join {{ ref('rpt_performance') }} as performance
        on sums.time_range = performance.time_range
    where
        sums.total_executions != performance.total_executions
        or sums.successful_count != performance.successful_count
        or sums.cost_known_count != performance.cost_known_count
),

unequal_figures as (
    select
        'all' as figure,
        performance.time_range
    from {{ ref('rpt_performance') }} as performance
    left join {{ ref('rpt_page_figures') }} as figures
        on
            performance.time_range = figures.time_range
            and figures.repo_place = 0
            and figures.model_tier_place = 0
            and figures.pool_type_place = 0
    where
        performance.total_executions != coalesce(figures.total_executions, 0)
        or performance.success_rate_lower is distinct from figures.success_rate_lower
        or performance.p95_duration is distinct from figures.p95_duration
        or abs(performance.total_cost - figures.total_cost) > 1e-6 * performance.total_cost
),

unequal_buckets as (
    select
        buckets.bucket_start::varchar as figure,
        buckets.time_range
    from {{ ref('rpt_time_series') }} as buckets
    left join {{ ref('rpt_page_series') }} as series
        on
            buckets.time_range = series.time_range
            and buckets.bucket_start = series.bucket_start
            and series.repo_place = 0
            and series.model_tier_place = 0
            and series.pool_type_place = 0
    where
        buckets.total_executions != coalesce(series.total_executions, 0)
        or buckets.success_rate is distinct from series.success_rate
)

select * from unequal_sums
union all
select * from unequal_figures
union all
select * from unequal_buckets
