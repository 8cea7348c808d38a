{#- Which values are shown, and why others are not. -#}


{#- Whether nearly every decision gave the policy a chance. -#}
{% macro is_supported() -%}
    unsupported_count <= 0.05 * decision_count
{%- endmacro %}


{#- Whether a value rests on enough: by the chances as planned, never by the weights as they came. -#}
{% macro is_enough(effective) -%}
    coalesce({{ effective }} >= {{ var('routing_least_effective') }}, false)
    and {{ is_supported() }}
    and task_count >= 10
{%- endmacro %}


{#- Whether one run is so dear that a log without it could not know. -#}
{% macro is_dominated() -%}
    {%- if var('routing_run_budget_usd') is none -%}
        coalesce(dearest_cost > {{ var('routing_dearest_share') }} * seen_cost, false)
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}


{#- Why a value is not shown, or its cost is to be doubted. -#}
{% macro reason_of_value() -%}
    case
        when not {{ is_supported() }}
            then 'a part of the decisions gave this policy no chance'
        when not has_enough_samples
            then 'too few decisions took, or were likely to take, what this policy takes'
        when is_dominated
            then 'one run makes so much of the cost that its interval says little: set '
                || 'routing_run_budget_usd'
    end
{%- endmacro %}


{#- Decisions of the row's repository, or of all, that no policy is valued by. -#}
{% macro excluded_count(row) -%}
    (
        select coalesce(sum(paths.run_count), 0)::bigint
        from {{ ref('int_routing_paths') }} as paths
        where
            paths.path = ''
            and paths.unlogged_plan <> ''
            and ({{ row }}.repo is null or paths.repo = {{ row }}.repo)
            and (paths._cell_id, paths.unlogged_plan) not in (
                select (_cell_id, unlogged_plan) from {{ ref('int_routing_shares') }}
            )
    )
{%- endmacro %}
