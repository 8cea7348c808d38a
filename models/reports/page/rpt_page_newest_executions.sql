-- One row is an execution that the page holds: among the newest of a value of a filter.
with

executions as not materialized (
    select * from {{ ref('rpt_page_executions') }}
),

newest as (
    {% for column in [
        'repo_place', 'model_tier_place', 'pool_type_place', 'task_type_place', 'error_type'
    ] %}
    select unnest({{ newest_executions(20) }}) as execution
    from executions
    group by {{ column }}, success
    union all
    {% endfor %}
    select unnest({{ newest_executions(100) }}) as execution
    from executions
    where not success
)

select
    executions.timestamp,
    executions.task_id,
    executions.repo_place,
    executions.model_tier_place,
    executions.pool_type_place,
    executions.task_type_place,
    executions.text_id,
    {% for text in ['task_description', 'error_message', 'solution_summary', 'error_type'] %}
    {{ shown_text('executions.' ~ text) }} as {{ text }},
    {% endfor %}
    executions.success,
    executions.duration_seconds,
    executions.actual_cost,
    executions.quality_score
from executions
where executions.task_id in (select execution.task_id from newest)
