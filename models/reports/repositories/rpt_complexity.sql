-- One row is a time range and a band of complexity in it: 20 points each, or unknown.
with

executions as (
    select * from {{ ref('int_executions_by_range') }}
),

figures as (
    select
        time_range,
        case
            when complexity_score < 20 then '0-19'
            when complexity_score < 40 then '20-39'
            when complexity_score < 60 then '40-59'
            when complexity_score < 80 then '60-79'
            when complexity_score >= 80 then '80-100'
            else 'unknown'
        end as complexity_band,
        {{ execution_figures() }}
    from executions
    group by all
)

select
    figures.time_range,
    figures.complexity_band,
    figures.total_executions
    / sum(figures.total_executions) over (partition by figures.time_range) as execution_share,
    {{ figure_columns('figures') }}
from figures
