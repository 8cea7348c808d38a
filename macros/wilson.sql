{#- The bounds of the Wilson score interval at 95 % of a rate: successes of trials; NULL of no trials.
    Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22, equation 4; z = 1.959964. -#}


{% macro wilson_lower(successes, trials) -%}
    {{ wilson_bound(successes, trials, '-') }}
{%- endmacro %}


{% macro wilson_upper(successes, trials) -%}
    {{ wilson_bound(successes, trials, '+') }}
{%- endmacro %}


{% macro wilson_bound(successes, trials, sign) -%}
    {%- set z = 1.959963984540054 -%}
    {%- set share = '(' ~ successes ~ ')::double / nullif(' ~ trials ~ ', 0)' -%}
    (
        {{ share }} + {{ z * z / 2 }} / ({{ trials }})
        {{ sign }} {{ z }} * sqrt(
            greatest(0, ({{ share }}) * (1 - {{ share }}) + {{ z * z / 4 }} / ({{ trials }})) / ({{ trials }})
        )
    ) / (1 + {{ z * z }} / ({{ trials }}))
{%- endmacro %}
