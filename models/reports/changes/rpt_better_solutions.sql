-- One row is a task, a model tier and a solution tried there, with another that works better.
--
-- Compared within a tier, so that a solution does not look good for the model that used it. Nearly
-- identical solutions are one. As in rpt_larger_tiers, intervals may not overlap.
{{ config(materialized=whole_table()) }}

with

executions as (
    select *
    from {{ ref('fct_executions') }}
    where
        {{ within_window('day', var('solution_window_days')) }}
        and _task_text_id is not null
        and _solution_text_id is not null
),

-- Never empty, as in the view executions.
clusters as (
    select
        text_id,
        cluster_id
    from {{ ref('int_text_clusters') }}
    where kind = 'solution'
    union all
    select
        null as text_id,
        null as cluster_id
),

solutions as (
    select
        executions.repo,
        executions._task_text_id as text_id,
        executions.model_tier,
        coalesce(clusters.cluster_id, executions._solution_text_id) as solution_id,
        min(executions.task_description) as task_description,
        min(executions.solution_summary) as solution_summary,
        count(*) as execution_count,
        count(*) filter (executions.success) as success_count,
        count(*) filter ({{ is_recent() }}) as recent_count,
        success_count / count(*) as success_rate
    from executions
    left join clusters
        on executions._solution_text_id = clusters.text_id
    group by all
    having count(*) >= {{ var('change_least_runs') }}
),

pairs as (
    select
        solutions as worse,
        better
    from solutions
    inner join solutions as better
        on
            solutions.repo = better.repo
            and solutions.text_id = better.text_id
            and solutions.model_tier = better.model_tier
    where solutions.success_rate < better.success_rate
),

confidence as (
    -- Before it is known which one is better, each pair is one comparison.
    select {{ quantile_of_comparisons('count(*)') }} as z, count(*) as comparison_count
    from pairs
),

{{ better_of_pairs() }}

{{ better_solution_columns() }}
from best
