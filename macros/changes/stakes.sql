{#- What a change is worth, as columns. -#}


{#- The stakes of a change, with their bounds. -#}
{% macro stakes(money='usd_per_30_days', successes='successes_per_30_days') -%}
    {% for name in ['usd_per_30_days', 'successes_per_30_days'] -%}
    {%- set given = money if name == 'usd_per_30_days' else successes -%}
    {% for bound in ['', '_lower', '_upper'] -%}
    {{ given ~ bound if given else 'null::double' }} as {{ name }}{{ bound }}
    {{- ',' if not loop.last }}
    {% endfor %}
    {{- ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{% macro no_stakes() -%}
    {{ stakes(none, none) }}
{%- endmacro %}
