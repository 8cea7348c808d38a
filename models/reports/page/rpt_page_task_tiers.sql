-- One row is a task of an execution that the page holds, and a model tier: its runs of 90 days.
with

executions as (
    select * from {{ ref('rpt_page_executions') }}
    where text_id in (select text_id from {{ ref('rpt_page_newest_executions') }})
),

runs as (
    select
        text_id,
        model_tier,
        count(*) as execution_count,
        count(*) filter (success) as success_count,
        avg(actual_cost) as avg_cost,
        count(actual_cost) as cost_known_count,
        avg(duration_seconds) as avg_duration,
        count(duration_seconds) as duration_known_count
    from executions
    group by text_id, model_tier
)

select
    text_id,
    {{ shown_text('model_tier') }} as model_tier,
    execution_count,
    success_count,
    {{ rate_with_bounds('success_count', 'execution_count', 'success_rate') }},
    avg_cost,
    cost_known_count,
    avg_duration,
    duration_known_count,
    coalesce({{ tier_rank('model_tier') }}, 99) as tier_order
from runs
