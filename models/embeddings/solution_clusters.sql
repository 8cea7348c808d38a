-- One row is a cluster of nearly identical solutions that were used in the last 90 days.
{{ config(materialized=whole_table()) }}

with

solution_days as (
    select * from {{ ref('int_solution_days') }}
    where _solution_text_id is not null
),

solution_texts as (
    select
        _solution_text_id,
        min(solution_summary) as solution_summary,
        sum(usage_count)::bigint as usage_count,
        sum(success_count)::bigint as success_count,
        sum(quality_sum)::bigint as quality_sum,
        sum(quality_known_count)::bigint as quality_known_count,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen,
        list(distinct repo) as repos,
        list(distinct task_type) as task_types
    from solution_days
    group by _solution_text_id
),

-- A solution without a vector is a cluster of its own.
clustered_texts as (
    select
        solution_texts.*,
        coalesce(clusters.cluster_id, solution_texts._solution_text_id) as cluster_id
    from solution_texts
    left join {{ ref('int_text_clusters') }} as clusters
        on solution_texts._solution_text_id = clusters.text_id and clusters.kind = 'solution'
),

figures as (
    select
        cluster_id,
        -- The text that says it as most have said it, of several the first in the alphabet.
        min_by(solution_summary, (-usage_count, solution_summary)) as representative,
        sum(usage_count)::bigint as usage_count,
        sum(success_count)::bigint as success_count,
        count(*) as text_count,
        list_sort(list_distinct(flatten(list(repos)))) as repos,
        list_sort(list_distinct(flatten(list(task_types)))) as task_types,
        sum(quality_sum) / sum(quality_known_count) as avg_quality,
        sum(quality_known_count)::bigint as quality_known_count,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from clustered_texts
    group by cluster_id
),

clustered_days as (
    select
        clustered_texts.cluster_id,
        solution_days._tasks
    from solution_days
    inner join clustered_texts
        on solution_days._solution_text_id = clustered_texts._solution_text_id
),

{{ rates_of_solutions('cluster_id', 'figures', 'clustered_days') }}

select
    cluster_id,
    representative,
    usage_count,
    success_count,
    {{ rate_over_tasks('success_rate', 'rates', 'success_count', 'usage_count') }},
    text_count,
    repos,
    task_types,
    avg_quality,
    quality_known_count,
    first_seen,
    last_seen
from rates
order by cluster_id
