-- One row is a time range, a task type's place and a choice of every filter of the page in it.
with

executions as not materialized (
    {{ page_executions(['repo', 'model_tier', 'pool_type', 'task_type']) }}
),

figures as (
    select
        time_range,
        task_type_place,
        repo_place,
        model_tier_place,
        pool_type_place,
        {{ execution_figures() }},
        {{ success_cost_figures() }}
    from executions
    group by time_range, task_type_place, {{ every_choice() }}
),

{{ rates_by_task([
    'time_range', 'task_type_place', 'repo_place', 'model_tier_place', 'pool_type_place'
], executions='executions', grouping='time_range, task_type_place, ' ~ every_choice()) }}

select
    rates.time_range,
    rates.task_type_place,
    {{ choice_columns('rates') }},
    {{ figure_columns('rates') }},
    rates.cost_per_success,
    rates.cost_known_success_count
from rates
