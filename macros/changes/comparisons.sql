{#- What the reports of what to change compare, and how surely. -#}


{#- A tier in a sentence; what is no tier of ours is a text of somebody's. -#}
{% macro quoted_tier(model_tier) -%}
    case
        when {{ tier_rank(model_tier) }} is null then {{ quoted_text(model_tier) }}
        else {{ model_tier }}
    end
{%- endmacro %}


{#- How many standard errors wide intervals are, so that all comparisons together are
    wrong of one at most 5 % of times: Bonferroni, as routing recommendations have it. -#}
{% macro quantile_of_comparisons(count) -%}
    {{ normal_quantile('1 - ' ~ (1 - var('routing_confidence')) / 2 ~ ' / greatest(' ~ count ~ ', 1)') }}
{%- endmacro %}


{#- A bound of the rate of independent runs: Wilson's, z standard errors wide. -#}
{% macro bound_of_runs(successes, runs, z, sign) -%}
    {{ rate_bound(
        '((' ~ successes ~ ') / nullif(' ~ runs ~ ', 0))', '(1.0::double / nullif(' ~ runs ~ ', 0))',
        z, sign
    ) }}
{%- endmacro %}


{#- The variance of a mean cost, of the sums of costs and of their squares; NULL of fewer than two. -#}
{% macro variance_of_mean_cost(total, squares, count) -%}
    (
        greatest({{ squares }} - pow({{ total }}, 2) / nullif({{ count }}, 0), 0)
        / nullif({{ count }} - 1, 0) / nullif({{ count }}, 0)
    )
{%- endmacro %}


{#- What a change is worth: the money, and the successes at what one is worth. -#}
{% macro worth_of(usd, successes) -%}
    (coalesce({{ usd }}, 0) + coalesce({{ successes }}, 0) * {{ var('routing_usd_per_success') }})
{%- endmacro %}


{#- Whether an execution is one of the last 30 days, by which a change is valued. -#}
{% macro is_recent() -%}
    timestamp >= {{ utc_now() }} - interval 30 day
{%- endmacro %}
