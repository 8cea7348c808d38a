-- One row is a time range, an error type of its failures and a choice of every filter of the page.
with

-- No CTE of the executions, for the reason that rpt_top_errors names.
outcomes as (
    select
        time_range,
        {{ failed_error_type() }} as error_type,
        repo_place,
        model_tier_place,
        pool_type_place,
        count(*) as error_count,
        max(timestamp) as last_error_at
    from ({{ page_executions() }}) as executions
    group by
        time_range,
        {{ failed_error_type() }},
        {{ every_choice() }}
),

shares as (
    select
        *,
        sum(error_count) over (
            partition by time_range, repo_place, model_tier_place, pool_type_place
        )::bigint as total_executions
    from outcomes
),

{{ error_rates_by_task(
    ['time_range', 'repo_place', 'model_tier_place', 'pool_type_place'],
    'shares', '(' ~ page_executions() ~ ') as executions', 'time_range, ' ~ every_choice()
) }}

select
    rates.time_range,
    rates.error_type,
    {{ choice_columns('rates') }},
    rates.error_count,
    rates.total_executions,
    {{ rate_over_tasks('error_rate', 'rates', 'error_count', 'total_executions') }},
    rates.last_error_at
from rates
where rates.error_type is not null
