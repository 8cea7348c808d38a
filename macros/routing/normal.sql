{#- The normal distribution, which DuckDB has no function of. -#}


{#- How probable a normal variable is to be below x, within 1e-7: Abramowitz, M. and Stegun, I. A. (1964),
    Handbook of Mathematical Functions, 26.2.17. -#}
{% macro normal_below(x) -%}
    {%- set t = '(1 / (1 + 0.2316419::double * abs(' ~ x ~ ')))' -%}
    {%- set coefficients = [0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429] -%}
    (
        case when {{ x }} < 0 then 1 else 0 end + case when {{ x }} < 0 then -1 else 1 end * (
            1 - exp(-pow({{ x }}, 2) / 2) / 2.5066282746310002::double * (
                {%- for coefficient in coefficients %}
                {{ '+ ' if not loop.first }}({{ coefficient }})::double * pow({{ t }}, {{ loop.index }})
                {%- endfor %}
            )
        )
    )
{%- endmacro %}


{#- The quantile of a probability above 0.5, within 5e-4: Abramowitz and Stegun, 26.2.23. -#}
{% macro normal_quantile(probability) -%}
    {%- set t = 'sqrt(-2 * ln(1 - (' ~ probability ~ ')::double))' -%}
    (
        {{ t }}
        - (2.515517::double + 0.802853::double * {{ t }} + 0.010328::double * pow({{ t }}, 2))
        / (
            1 + 1.432788::double * {{ t }} + 0.189269::double * pow({{ t }}, 2)
            + 0.001308::double * pow({{ t }}, 3)
        )
    )
{%- endmacro %}
