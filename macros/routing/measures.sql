{#- The measures of policies, alone and against the baseline, by the sums of a text. -#}


{#- Of CTEs coefficients and plans: what a policy's scores are above the baseline's. -#}
{% macro gains_over_baseline() -%}
    select
        _cell_id,
        policy,
        fold,
        unlogged_plan,
        path,
        name,
        sum(success) as success,
        sum(capped_cost) as capped_cost,
        sum(decisions) as decisions,
        sum(known_decisions) as known_decisions,
        '{{ var("routing_baseline") }}' as baseline
    from (
        select * from coefficients
        where policy <> '{{ var("routing_baseline") }}'
        union all by name
        select
            baselines.* replace (
                plans.policy as policy,
                -baselines.success as success,
                -baselines.capped_cost as capped_cost,
                0 as decisions,
                0 as known_decisions
            )
        from coefficients as baselines
        inner join plans using (_cell_id)
        where
            baselines.policy = '{{ var("routing_baseline") }}'
            and plans.policy <> '{{ var("routing_baseline") }}'
    ) as differences
    group by _cell_id, policy, fold, unlogged_plan, path, name
{%- endmacro %}


{#- The CTE measures, and what it is made of: a policy's coefficients, alone and against the baseline. -#}
{% macro measure_ctes() -%}
coefficients as (
    select * from {{ ref('int_routing_coefficients') }}
),

plans as (
    select * from {{ ref('int_routing_plans') }}
),

measures as (
    select
        *,
        '' as baseline
    from coefficients
    union all by name
    {{ gains_over_baseline() }}
)
{%- endmacro %}
