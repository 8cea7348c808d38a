-- One row is an execution as an attempt of a routing decision.
--
-- Taken as changed: the blocks of load numbers whose set of executions that have started by now is
-- not that of the last build. A row of a load number never changes, so this is complete.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_buckets('_load_block', routing_blocks(), 'bigint') }}",
    post_hook="{{ record_build_state(routing_blocks()) }}",
) }}

with

changed_blocks as (
    {{ changed_buckets(routing_blocks(), 'bigint') }}
),

tiers as (
    select map(list(name), list(model_tier)) as tier_of from {{ ref('model_tiers') }}
),

executions as (
    select
        *,
        metadata -> 'routing' as routing,
        from_json(
            metadata -> '$.routing.candidates',
            '[{"plan":"VARCHAR","model_tier":"VARCHAR","propensity":"DOUBLE"}]'
        ) as candidates,
        try_cast(metadata ->> '$.routing.first_task_id' as uuid) as first_task_id
    from {{ ref('fct_executions') }}
    where {{ in_changed_blocks() }} and timestamp <= {{ utc_now() }}
),

attempts as (
    select
        *,
        coalesce(
            try_cast(routing ->> 'attempt' as integer),
            case when first_task_id <> task_id then 2 else 1 end
        ) as attempt,
        coalesce(routing ->> '$.chosen.model_tier', model_tier) as chosen_tier,
        len(list_filter(candidates, lambda c: c['propensity'] is not null)) > 0
        and ({{ var('execution_rules').routing_chances_invalid.holds }}) as is_logged
    from executions
)

select
    task_id,
    case when attempt <= 1 then task_id else first_task_id end as decision_id,
    attempt,
    timestamp,
    -- Cells are compared with each other: a name of a megabyte would be copied for each pair.
    {{ shown_text('repo') }} as repo,
    {{ shown_text('task_type') }} as task_type,
    {{ routing_complexity_band('complexity_score') }} as complexity_band,
    {{ plan_of_tiers('chosen_tier', 'tier_of') }} as model_tier,
    {{ plan_of_tiers("coalesce(routing ->> 'plan', chosen_tier)", 'tier_of') }} as plan,
    routing ->> 'policy' as policy,
    success,
    actual_cost::double as cost,
    case
        when is_logged then list_transform(candidates, lambda c: {
            'plan': {{ plan_of_tiers('coalesce(c[\'plan\'], c[\'model_tier\'])', 'tier_of') }},
            'chance': c['propensity']
            / list_sum(list_transform(candidates, lambda d: d['propensity']))
        })
    end as chances,
    coalesce(_task_text_id, md5_number_lower(task_id::varchar)) as _task_text_id,
    _load_seq,
    _load_seq // {{ var('load_block_size') }} as _load_block
from attempts
cross join tiers
