-- One row is a solution and repository that was used at least 5 times in the last 90 days.
--
-- Taken as changed: the days that int_solution_days has rebuilt or dropped since this model's last
-- build, and the groups that have a row in one of them, or in whose row here one lies between the
-- first and the last use. A group below the least usage has no row here and needs none: losing a
-- day cannot bring it above.
{{ config(
    incremental_strategy='replace_changed',
    unique_key='_pattern_id',
    meta={'never_null': 'usage_count'},
    post_hook=[
        "{{ remember_build(built_buckets(ref('int_solution_days'), 'date')) }}",
        "{{ covering_index(['repo', 'solution_summary'],
            ['usage_count', 'success_count', 'avg_quality', 'first_seen', 'last_seen', 'success_rate']) }}",
    ],
) }}

with

-- Read twice below, and each time only some of its columns.
solution_days as not materialized (
    select * from {{ ref('int_solution_days') }}
),

{% if is_incremental() %}

changed_days as (
    {{ changed_buckets(built_buckets(ref('int_solution_days'), 'date'), 'date') }}
),

uses_in_changed_days as (
    select
        _pattern_id,
        solution_summary,
        repo
    from solution_days
    where date in (select bucket from changed_days)
    union all
    select
        _pattern_id,
        solution_summary,
        repo
    from {{ this }}
    where exists (
        select bucket from changed_days
        where bucket between first_seen::date and last_seen::date
    )
),

{% endif %}

changed_groups as (
    select
        _pattern_id,
        any_value(solution_summary) as solution_summary,
        any_value(repo) as repo
    from {{ 'uses_in_changed_days' if is_incremental() else 'solution_days' }}
    group by _pattern_id
),

task_types_of_groups as (
    select
        _pattern_id,
        task_type,
        sum(usage_count)::bigint as usage_count,
        sum(success_count)::bigint as success_count,
        sum(quality_sum)::bigint as quality_sum,
        sum(quality_known_count)::bigint as quality_known_count,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from solution_days
    where _pattern_id in (select _pattern_id from changed_groups)
    group by _pattern_id, task_type
),

patterns as (
    select
        _pattern_id,
        list_sort(list(task_type)) as task_types,
        sum(usage_count)::bigint as usage_count,
        sum(success_count)::bigint as success_count,
        sum(quality_sum) / sum(quality_known_count) as avg_quality,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen,
        sum(success_count) / sum(usage_count) as success_rate,
        sum(quality_known_count)::bigint as quality_known_count
    from task_types_of_groups
    group by _pattern_id
    having sum(usage_count) >= {{ var('solution_min_usage') }}
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
    changed_groups._pattern_id
from changed_groups
{{ 'left' if is_incremental() else 'inner' }} join patterns
    on changed_groups._pattern_id = patterns._pattern_id
{% if is_incremental() %}
    -- Most groups of a changed day are as they were, and rewriting a row rewrites its index entry.
    except
    select
        solution_summary,
        repo,
        task_types,
        usage_count,
        success_count,
        avg_quality,
        first_seen,
        last_seen,
        success_rate,
        quality_known_count,
        _pattern_id
    from {{ this }}
{% endif %}
order by repo, solution_summary
