-- One row is a time range and an error type of the failed executions in it.
with

-- No CTE of the executions: of one, a view that DuckDB 1.4 can read forgets that it is not
-- materialized, and then a filter on time_range reads every range (DuckDB 2.0.0, 2026-11).
totals as (
    select
        time_range,
        count(*) as total_executions
    from {{ ref('int_executions_by_range') }}
    group by time_range
),

failures as (
    select
        time_range,
        coalesce(error_type, 'unknown') as error_type,
        count(*) as error_count,
        count(distinct repo) as repo_count,
        max(timestamp) as last_error_at,
        arg_max(task_id, timestamp) as last_task_id
    from {{ ref('int_executions_by_range') }}
    where not success
    group by all
),

figures as (
    select
        failures.*,
        totals.total_executions
    from failures
    inner join totals
        on failures.time_range = totals.time_range
),

{{ error_rates_by_task(['time_range'], 'figures', ref('int_executions_by_range')) }}

select
    rates.time_range,
    row_number() over (
        partition by rates.time_range
        order by rates.error_count desc, rates.error_type asc
    ) as error_rank,
    rates.error_type,
    rates.error_count,
    rates.error_count
    / sum(rates.error_count) over (partition by rates.time_range) as failure_share,
    rates.total_executions,
    {{ rate_over_tasks('error_rate', 'rates', 'error_count', 'total_executions') }},
    rates.repo_count,
    rates.last_error_at,
    rates.last_task_id
from rates
