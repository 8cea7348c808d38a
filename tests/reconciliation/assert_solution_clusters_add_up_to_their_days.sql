-- Each use of a solution in int_solution_days that says something is in just one cluster.
with

days as (
    select
        sum(usage_count) as usage_count,
        sum(success_count) as success_count,
        count(distinct _solution_text_id) as text_count
    from {{ ref('int_solution_days') }}
    where _solution_text_id is not null
),

clusters as (
    select
        sum(usage_count) as usage_count,
        sum(success_count) as success_count,
        coalesce(sum(text_count), 0) as text_count
    from {{ ref('solution_clusters') }}
)

select
    days.usage_count,
    clusters.usage_count as usage_in_clusters,
    days.success_count,
    clusters.success_count as successes_in_clusters,
    days.text_count,
    clusters.text_count as texts_in_clusters
from days
cross join clusters
where
    days.usage_count is distinct from clusters.usage_count
    or days.success_count is distinct from clusters.success_count
    or days.text_count != clusters.text_count
