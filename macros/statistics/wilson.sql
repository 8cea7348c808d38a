{#- The bounds of the Wilson score interval at 95 % of a rate: successes of trials; NULL of no trials. It is for
    trials that are independent: the runs of one task, where the rate is that task's own, and people's answers.
    A rate over executions of several tasks has rates_by_task. Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference,
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


{% macro wilson_bound(successes, trials, sign) -%}
    {%- set z = 1.959963984540054 -%}
    {%- set s, n = '(' ~ successes ~ ')::double', '(' ~ trials ~ ')::double' -%}
    (
        {{ s }} + {{ z * z / 2 }}
        {{ sign }} {{ z }} * sqrt({{ s }} * ({{ n }} - {{ s }}) / nullif({{ n }}, 0) + {{ z * z / 4 }})
    ) / ({{ n }} + {{ z * z }})
{%- endmacro %}
