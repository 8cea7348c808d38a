{#- The paths that decisions could have taken, and what they came to. -#}


{#- Of the CTE decisions: CTEs that end with decision_paths, a row a decision and path that it could have
    taken, with what it came to where it was run. The path of the decision itself is empty. -#}
{% macro decision_path_ctes() -%}
    {{ possible_path_ctes() }},

    path_outcomes as (
        select
            decision_id,
            '' as path,
            1.0::double as chance,
            null::double as plan_chance,
            false as is_drawn,
            true as is_run,
            cost is not null as is_known,
            success,
            cost,
            capped_cost,
            dearest_cost
        from decisions
        union all
        select
            decisions.decision_id,
            possible_paths.path,
            possible_paths.chance,
            possible_paths.plan_chance,
            possible_paths.path = decisions.plan,
            steps.decision_id is not null,
            steps.decision_id is not null and decisions.cost is not null,
            steps.success,
            steps.cost,
            {{ within_run_budget('steps.cost') }},
            steps.cost
        from decisions
        inner join possible_paths
            on decisions.decision_id = possible_paths.decision_id
        left join steps
            on possible_paths.decision_id = steps.decision_id
                and possible_paths.path = steps.path
    ),

    decision_paths as (
        select
            decisions.timestamp,
            decisions.repo,
            decisions.task_type,
            decisions.complexity_band,
            decisions._task_text_id,
            case when decisions.chances is null then decisions.plan else '' end as unlogged_plan,
            path_outcomes.*
        from path_outcomes
        inner join decisions
            on path_outcomes.decision_id = decisions.decision_id
    )
{%- endmacro %}
