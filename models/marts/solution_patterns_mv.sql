-- One row is a solution and repository that was used at least 5 times in the last 90 days.
--
-- Taken as changed: the days that int_solution_days has rebuilt or dropped since this model's last
-- build, and the groups that have a row in one of them, or in whose row here one lies between the
-- first and the last use. A group below the least usage has no row here and needs none: losing a
-- day cannot bring it above.
{{ config(
    incremental_strategy='delete+insert',
    unique_key='_pattern_id',
    pre_hook="{{ delete_lost_patterns() }}",
    post_hook=[
        "{{ record_build_state(built_buckets(ref('int_solution_days'), 'date')) }}",
        "{{ covering_index(['repo', 'solution_summary'],
            ['usage_count', 'success_count', 'avg_quality', 'first_seen', 'last_seen', 'success_rate']) }}",
    ],
) }}

with

-- Read more than once, and each time only some columns.
solution_days as not materialized (
    select * from {{ ref('int_solution_days') }}
),

{% if is_incremental() %}
changed_groups as (
    select _pattern_id from solution_days
    where date in ({{ changed_solution_days() }})
    union
    select _pattern_id from ({{ patterns_used_on_changed_days() }})
),

{% endif %}

task_types_of_groups as (
    {{ task_types_of_patterns('solution_days', 'changed_groups') }}
),

patterns as (
    select
        any_value(solution_summary) as solution_summary,
        any_value(repo) as repo,
        list_sort(list(task_type)) as task_types,
        sum(usage_count)::bigint as usage_count,
        sum(success_count)::bigint as success_count,
        sum(quality_sum) / sum(quality_known_count) as avg_quality,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen,
        sum(success_count) / sum(usage_count) as success_rate,
        sum(quality_known_count)::bigint as quality_known_count,
        _pattern_id
    from task_types_of_groups
    group by _pattern_id
    having sum(usage_count) >= {{ var('solution_min_usage') }}
),

{{ rates_of_solutions('_pattern_id', 'patterns', 'solution_days') }}

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
    _pattern_id,
    task_count,
    _rate_variance,
    _rate_t
from rates
{% if is_incremental() %}
-- Most groups of a changed day are as they were, and rewriting a row rewrites its index entry.
except
select * from {{ this }}
{% endif %}
order by repo, solution_summary
