{#- The decisions of int_routing_attempts, each with what followed from it. `only`: a condition that the
    first attempts must meet.

    An attempt counts as a step of the plan when the ones before it failed and none is missing: only
    so far is it known by what chance it was run. -#}
{% macro decision_rows(only='true') -%}
    with

    attempts as not materialized (
        select * from {{ ref('int_routing_attempts') }}
    ),

    first_attempts as (
        select * from attempts
        where attempt <= 1 and {{ only }}
    ),

    numbered_attempts as (
        select
            *,
            row_number() over decision_so_far as step,
            coalesce(count(*) filter (success) over earlier_attempts, 0) as earlier_successes
        from attempts
        where decision_id in (select task_id from first_attempts)
        window
            decision_so_far as (partition by decision_id order by attempt, timestamp, task_id),
            earlier_attempts as (
                partition by decision_id order by attempt, timestamp, task_id
                rows between unbounded preceding and 1 preceding
            )
    ),

    outcomes as (
        select
            decision_id,
            count(*) as attempt_count,
            arg_max(success, step) as success,
            case when count(cost) = count(*) then sum(cost) end as cost,
            case
                when count(cost) = count(*) then sum({{ within_run_budget('cost') }})
            end as capped_cost,
            max(cost) as dearest_cost,
            max(timestamp) as last_attempt_at,
            list({'model_tier': model_tier, 'success': success, 'cost': cost} order by step)
                filter (greatest(attempt, 1) = step and earlier_successes = 0) as steps
        from numbered_attempts
        group by decision_id
    )

    select
        first_attempts.task_id as decision_id,
        first_attempts.timestamp,
        first_attempts.repo,
        first_attempts.task_type,
        first_attempts.complexity_band,
        first_attempts.plan,
        first_attempts.policy,
        first_attempts.chances,
        outcomes.attempt_count,
        outcomes.success,
        outcomes.cost,
        outcomes.capped_cost,
        outcomes.dearest_cost,
        outcomes.last_attempt_at,
        outcomes.steps,
        first_attempts._task_text_id,
        first_attempts._load_seq
    from first_attempts
    inner join outcomes
        on first_attempts.task_id = outcomes.decision_id
{%- endmacro %}
