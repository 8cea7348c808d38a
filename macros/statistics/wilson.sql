{#- The bounds of the Wilson score interval at 95 % of a rate: successes of trials; NULL of no trials.
    Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22, equation 4; z = 1.959964. -#}


{#- A rate and its bounds, as three columns; NULL of no trials. -#}
{% macro rate_with_bounds(successes, trials, name) -%}
    {{ successes }} / nullif({{ trials }}, 0) as {{ name }},
    {{ wilson_lower(successes, trials) }} as {{ name }}_lower,
    {{ wilson_upper(successes, trials) }} as {{ name }}_upper
{%- endmacro %}


{% macro wilson_lower(successes, trials) -%}
    {{ wilson_bound(successes, trials, '-') }}
{%- endmacro %}


{% macro wilson_upper(successes, trials) -%}
    {{ wilson_bound(successes, trials, '+') }}
{%- endmacro %}


{#- By how much a rate is at least below another one, at 95 %: the lower bound of Newcombe's interval
    of the difference, made of the Wilson bounds of both; NULL where one has no trials.
    Newcombe, R. G. (1998), Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17, method 10. -#}
{% macro least_drop(successes_before, trials_before, successes, trials) -%}
    {%- set before = successes_before ~ ' / nullif(' ~ trials_before ~ ', 0)' -%}
    {%- set after = successes ~ ' / nullif(' ~ trials ~ ', 0)' -%}
    (
        {{ before }} - {{ after }} - sqrt(
            pow({{ before }} - {{ wilson_lower(successes_before, trials_before) }}, 2)
            + pow({{ wilson_upper(successes, trials) }} - {{ after }}, 2)
        )
    )
{%- endmacro %}


{% macro wilson_bound(successes, trials, sign) -%}
    {%- set z = 1.959963984540054 -%}
    {%- set s, n = '(' ~ successes ~ ')::double', '(' ~ trials ~ ')::double' -%}
    (
        {{ s }} + {{ z * z / 2 }}
        {{ sign }} {{ z }} * sqrt({{ s }} * ({{ n }} - {{ s }}) / nullif({{ n }}, 0) + {{ z * z / 4 }})
    ) / ({{ n }} + {{ z * z }})
{%- endmacro %}
