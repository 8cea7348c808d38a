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

solution_days as not materialized (
    select * from {{ ref('int_solution_days') }}
),

{% if is_incremental() %}

changed_days as (
    {{ changed_buckets(built_buckets(ref('int_solution_days'), 'date'), 'date') }}
),

changed_groups as (
    select
        solution_summary,
        repo
    from solution_days
    where date in (select bucket from changed_days)
    union
    select
        solution_summary,
        repo
    from {{ this }}
    where list_has_any(_days, (select list(bucket) from changed_days))
),

{% else %}

changed_groups as (
    select
        solution_summary,
        repo
    from solution_days
    group by solution_summary, repo
),

{% endif %}

patterns as (
    select
        solution_days.solution_summary,
        solution_days.repo,
        list_sort(list_distinct(flatten(list(solution_days.task_types)))) as task_types,
        sum(solution_days.usage_count)::bigint as usage_count,
        sum(solution_days.success_count)::bigint as success_count,
        sum(solution_days.quality_sum) / sum(solution_days.quality_known_count) as avg_quality,
        min(solution_days.first_seen) as first_seen,
        max(solution_days.last_seen) as last_seen,
        sum(solution_days.success_count) / sum(solution_days.usage_count) as success_rate,
        sum(solution_days.quality_known_count)::bigint as quality_known_count,
        list_sort(list(solution_days.date)) as _days
    from solution_days
    semi join changed_groups
        on
            solution_days.solution_summary = changed_groups.solution_summary
            and solution_days.repo = changed_groups.repo
    group by solution_days.solution_summary, solution_days.repo
    having sum(solution_days.usage_count) >= {{ var('solution_min_usage') }}
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
    patterns._days
from changed_groups
{{ 'left' if is_incremental() else 'inner' }} join patterns
    on
        changed_groups.solution_summary = patterns.solution_summary
        and changed_groups.repo = patterns.repo
order by changed_groups.repo, changed_groups.solution_summary
