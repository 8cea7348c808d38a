-- One row is a time range, an error type of its failures and a choice of every filter of the page.
with

executions as (
    {{ page_executions() }}
),

outcomes as (
    select
        time_range,
        case when not success then coalesce(error_type, 'unknown') end as error_type,
        repo_place,
        model_tier_place,
        pool_type_place,
        count(*) as execution_count,
        max(timestamp) as last_error_at
    from executions
    group by
        time_range,
        case when not success then coalesce(error_type, 'unknown') end,
        {{ every_choice() }}
),

shares as (
    select
        *,
        sum(execution_count) over (
            partition by time_range, repo_place, model_tier_place, pool_type_place
        )::bigint as total_executions
    from outcomes
)

select
    shares.time_range,
    shares.error_type,
    {{ choice_columns('shares') }},
    shares.execution_count as error_count,
    shares.total_executions,
    {{ rate_columns('error_rate', 'shares.execution_count', 'shares.total_executions') }},
    shares.last_error_at
from shares
where shares.error_type is not null
