-- One row is a time range and a repository worked on in it, by its rank.
with

figures as (
    select
        time_range,
        repo,
        {{ execution_figures() }},
        avg(complexity_score) as avg_complexity,
        count(complexity_score) as complexity_known_count,
        max(timestamp) as last_execution_at
    from {{ ref('int_executions_by_range') }}
    group by time_range, repo
),

{{ rates_by_task(['time_range', 'repo']) }}

select
    rates.time_range,
    row_number() over (
        partition by rates.time_range order by rates.total_executions desc, rates.repo asc
    ) as repo_rank,
    rates.repo,
    {{ figure_columns('rates') }},
    rates.avg_complexity,
    rates.complexity_known_count,
    rates.last_execution_at
from rates
