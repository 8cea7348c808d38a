-- One row is a UTC hour of the last 7 days and a choice of every filter of the page in it.
with

executions as (
    select
        {{ bucket_of('hour') }} as hour,
        executions.success,
        {{ place_columns(['repo', 'model_tier', 'pool_type']) }}
    from {{ ref('fct_executions') }} as executions
    {{ join_places(['repo', 'model_tier', 'pool_type']) }}
    where executions.{{ within_window('hour', 7) }}
),

figures as (
    select
        hour,
        repo_place,
        model_tier_place,
        pool_type_place,
        count(*) as total_executions,
        count(*) filter (success) as successful_count
    from executions
    group by hour, {{ every_choice() }}
)

select
    figures.hour,
    {{ choice_columns('figures') }},
    figures.total_executions,
    figures.successful_count
from figures
