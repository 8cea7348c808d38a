-- One row is a UTC day of the last 90 days, with its cost and how the last 7 days compare.
with

executions as (
    {{ in_window('day', 90) }}
),

days as (
    {{ buckets_of_window('day', 90) }}
),

costs as (
    select
        date,
        count(*) as total_executions,
        sum(actual_cost) as total_cost,
        avg(actual_cost) as avg_cost,
        count(actual_cost) as cost_known_count,
        sum(cost_estimate) as estimated_cost,
        count(cost_estimate) as estimate_known_count,
        {{ assigned_times() }} as assigned_time_count
    from executions
    group by date
),

-- A sum over fewer than 7 days would look like a drop, so the first days have none.
trends as (
    select
        days.date,
        costs.* exclude (date),
        case when count(*) over last_week = 7 then sum(costs.total_cost) over last_week end
            as trailing_cost,
        case when count(*) over week_before = 7 then sum(costs.total_cost) over week_before end
            as previous_cost,
        case when count(*) over last_week = 7 then sum(costs.cost_known_count) over last_week end
            as trailing_cost_known_count,
        case
            when count(*) over week_before = 7 then sum(costs.cost_known_count) over week_before
        end as previous_cost_known_count
    from days
    left join costs
        on days.date = costs.date
    window
        last_week as (order by days.date rows between 6 preceding and current row),
        week_before as (order by days.date rows between 13 preceding and 7 preceding)
)

select
    date,
    {{ is_complete('date', 'day') }} as is_complete,
    coalesce(total_executions, 0) as total_executions,
    total_cost,
    avg_cost,
    coalesce(cost_known_count, 0) as cost_known_count,
    estimated_cost,
    coalesce(estimate_known_count, 0) as estimate_known_count,
    trailing_cost,
    coalesce(trailing_cost_known_count, 0)::bigint as trailing_cost_known_count,
    previous_cost,
    coalesce(previous_cost_known_count, 0)::bigint as previous_cost_known_count,
    (trailing_cost - previous_cost) / nullif(previous_cost, 0) * 100 as cost_change_pct,
    coalesce(assigned_time_count, 0) as assigned_time_count
from trends
