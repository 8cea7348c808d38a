-- One row is a time range and a repository worked on in it, by its rank.
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
),

figures as (
    select
        time_range,
        repo,
        {{ execution_figures() }},
        avg(complexity_score) as avg_complexity,
        count(complexity_score) as complexity_known_count,
        max(timestamp) as last_execution_at
    from executions
    group by time_range, repo
)

select
    figures.time_range,
    row_number() over (
        partition by figures.time_range order by figures.total_executions desc, figures.repo asc
    ) as repo_rank,
    figures.repo,
    {{ figure_columns('figures') }},
    figures.avg_complexity,
    figures.complexity_known_count,
    figures.last_execution_at
from figures
