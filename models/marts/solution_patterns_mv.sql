-- One row is a solution and repository that was used at least 5 times in the last 90 days.
--
-- Taken as changed: the days that int_solution_days has rebuilt or dropped since this model's last
-- build, and the groups that have, or in the row standing here had (_days), a row in one of them. A
-- group below the least usage has no row here and needs none: losing a day cannot bring it above.
{{ config(
    incremental_strategy='replace_changed',
    unique_key=['solution_summary', 'repo'],
    meta={'never_null': 'usage_count'},
    post_hook=[
        "{{ remember_build(built_buckets(ref('int_solution_days'), 'date')) }}",
        "{{ covering_index(['repo', 'solution_summary'],
            ['usage_count', 'success_count', 'avg_quality', 'first_seen', 'last_seen', 'success_rate']) }}",
    ],
) }}

with

changed_days as (
    {{ changed_buckets(built_buckets(ref('int_solution_days'), 'date'), 'date') }}
),

changed_groups as (
    select
        solution_summary,
        repo,
    from {{ ref('int_solution_days') }}
    where date in (select bucket from changed_days)
    group by solution_summary, repo
    {% if is_incremental() %}
    union
    select
        solution_summary,
        repo,
    from {{ this }}
    where list_has_any(_days, (select list(bucket) from changed_days))
    {% endif %}
),

patterns as (
    select
        days.solution_summary,
        days.repo,
        list_sort(list_distinct(flatten(list(days.task_types)))) as task_types,
        sum(days.usage_count)::bigint as usage_count,
        sum(days.success_count)::bigint as success_count,
        sum(days.quality_sum) / nullif(sum(days.quality_known_count), 0) as avg_quality,
        min(days.first_seen) as first_seen,
        max(days.last_seen) as last_seen,
        sum(days.success_count) / sum(days.usage_count) as success_rate,
        sum(days.quality_known_count)::bigint as quality_known_count,
        list_sort(list(days.date)) as _days,
    from {{ ref('int_solution_days') }} as days
    semi join changed_groups
        on days.solution_summary = changed_groups.solution_summary
            and days.repo = changed_groups.repo
    group by days.solution_summary, days.repo
    having sum(days.usage_count) >= {{ var('solution_min_usage') }}
)

select
    changed_groups.solution_summary,
    changed_groups.repo,
    patterns.task_types,
    patterns.usage_count,
    patterns.success_count,
    patterns.avg_quality,
    patterns.first_seen,
    patterns.last_seen,
    patterns.success_rate,
    patterns.quality_known_count,
    patterns._days,
from changed_groups
{{ 'left' if is_incremental() else 'inner' }} join patterns
    on changed_groups.solution_summary = patterns.solution_summary
        and changed_groups.repo = patterns.repo
order by repo, solution_summary
