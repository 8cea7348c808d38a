-- solution_patterns_mv holds just the groups of int_solution_days with enough use, and their sums.
with

groups_in_use as (
    select
        solution_summary,
        repo,
        sum(usage_count) as usage_count,
        sum(success_count) as success_count
    from {{ ref('int_solution_days') }}
    group by solution_summary, repo
    having sum(usage_count) >= {{ var('solution_min_usage') }}
)

select
    solution_summary,
    repo,
    groups_in_use.usage_count,
    patterns.usage_count as mart_usage_count,
    groups_in_use.success_count,
    patterns.success_count as mart_success_count
from groups_in_use
full join {{ ref('solution_patterns_mv') }} as patterns
    using (solution_summary, repo)
where
    groups_in_use.usage_count is distinct from patterns.usage_count
    or groups_in_use.success_count is distinct from patterns.success_count
