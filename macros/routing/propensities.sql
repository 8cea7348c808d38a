{#- What a router draws from. -#}


{#- Of the CTE gains: the plans of each unit with their gains over the baseline, and the baseline's own,
    whose gain is known to be 0. A plan that decisions gave no chance is explored and no more: of it, a
    gain is the model's word alone. -#}
{% macro plans_to_draw() -%}
    select
        level,
        repo,
        task_type,
        complexity_band,
        plan,
        policy,
        case when {{ is_supported() }} then gain else -1 end as gain,
        greatest(error, 1e-4) as error
    from gains
    where plan is not null
    union all
    select distinct
        level,
        repo,
        task_type,
        complexity_band,
        baseline_plan,
        baseline,
        0,
        1e-4
    from gains
    where baseline_plan is not null and baseline_plan <> 'logged'
{%- endmacro %}
