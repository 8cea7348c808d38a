{#- A bound of the difference of two rates, made of their own bounds, however those were found; NULL where one
    rate is. Newcombe, R. G. (1998), Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17, method 10; Zou, G. Y. and Donner, A. (2008), Construction of confidence limits
    about effect measures, Statistics in Medicine 27, equation 8. -#}
{% macro difference_bound(rate, rate_bound, other, other_bound, sign) -%}
    (
        {{ rate }} - {{ other }}
        {{ sign }} sqrt(pow({{ rate }} - {{ rate_bound }}, 2) + pow({{ other }} - {{ other_bound }}, 2))
    )
{%- endmacro %}
