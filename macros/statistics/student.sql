{#- The 97.5th percentile of Student's t, of its degrees of freedom (a number, not only a whole one):
    Abramowitz, M. and Stegun, I. A. (1964), Handbook of Mathematical Functions, 26.7.5, to the fourth
    power. From 3 degrees on, it is right to 0.2 %; NULL of none. -#}
{% macro t_quantile(degrees) -%}
    {%- set z = 1.959963984540054 -%}
    {%- set terms = [
        (z ** 3 + z) / 4,
        (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
        (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
        (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
    ] -%}
    (
        {{ z }}
        {%- for term in terms %}
        + {{ term }} / pow(nullif(greatest({{ degrees }}, 0), 0), {{ loop.index }})
        {%- endfor %}
    )
{%- endmacro %}


{#- The quantile of Student's t at which the normal distribution has z, an SQL expression; by the same
    series as t_quantile, which is it for z of 97.5 %. -#}
{% macro t_quantile_at(z, degrees) -%}
    {%- set z = '((' ~ z ~ ')::double)' -%}
    {%- set n = 'nullif(greatest(' ~ degrees ~ ', 0), 0)' -%}
    (
        {{ z }}
        + (pow({{ z }}, 3) + {{ z }}) / 4 / {{ n }}
        + (5 * pow({{ z }}, 5) + 16 * pow({{ z }}, 3) + 3 * {{ z }}) / 96 / pow({{ n }}, 2)
        + (3 * pow({{ z }}, 7) + 19 * pow({{ z }}, 5) + 17 * pow({{ z }}, 3) - 15 * {{ z }})
        / 384 / pow({{ n }}, 3)
        + (
            79 * pow({{ z }}, 9) + 776 * pow({{ z }}, 7) + 1482 * pow({{ z }}, 5)
            - 1920 * pow({{ z }}, 3) - 945 * {{ z }}
        ) / 92160 / pow({{ n }}, 4)
    )
{%- endmacro %}
