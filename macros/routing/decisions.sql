{#- What an execution says of the decision that it was an attempt of. -#}


{#- Blocks of load numbers of the executions that have started by now. -#}
{% macro routing_blocks() -%}
    select
        _load_seq // {{ var('load_block_size') }} as bucket,
        {{ fingerprint() }} as fingerprint
    from {{ ref('fct_executions') }}
    where timestamp <= {{ utc_now() }}
    group by bucket
{%- endmacro %}


{#- A plan with the name of each of its models mapped to its tier; tier_of is a map of names. -#}
{% macro plan_of_tiers(plan, tier_of) -%}
    array_to_string(list_transform(
        string_split({{ shown_text(plan) }}, '>'),
        lambda name: coalesce({{ tier_of }}[lower(trim(name))], trim(name))
    ), '>')
{%- endmacro %}


{#- The parts of a plan that begin with its first attempt: small>large has small and small>large. -#}
{% macro prefixes_of(plan) -%}
    list_transform(
        range(1, len(string_split({{ plan }}, '>')) + 1),
        lambda length: array_to_string(string_split({{ plan }}, '>')[1:length], '>')
    )
{%- endmacro %}


{#- A class of complexity scores. -#}
{% macro routing_complexity_band(score) -%}
    case
        when {{ score }} is null then 'unknown'
        when {{ score }} < {{ var('routing_medium_from') }} then 'low'
        when {{ score }} < {{ var('routing_high_from') }} then 'medium'
        else 'high'
    end
{%- endmacro %}


{#- From which score a row's complexity band goes, and below which; NULL has no bound. -#}
{% macro bounds_of_complexity_band() -%}
    case complexity_band
        when 'medium' then {{ var('routing_medium_from') }}
        when 'high' then {{ var('routing_high_from') }}
    end::integer as complexity_from,
    case complexity_band
        when 'low' then {{ var('routing_medium_from') }}
        when 'medium' then {{ var('routing_high_from') }}
    end::integer as complexity_below
{%- endmacro %}


{#- The cost of a run as far as the budget for one goes. -#}
{% macro within_run_budget(cost) -%}
    {% set budget = var('routing_run_budget_usd') -%}
    {{ cost if budget is none else 'least(' ~ cost ~ ', ' ~ budget ~ ')' }}
{%- endmacro %}


{#- The number of a cell, by which its rows are joined: of a repository, task type and complexity band. -#}
{% macro cell_id(repo='repo', task_type='task_type', complexity_band='complexity_band') -%}
    md5_number_lower({{ repo }} || chr(0) || {{ task_type }} || chr(0) || {{ complexity_band }})
{%- endmacro %}
