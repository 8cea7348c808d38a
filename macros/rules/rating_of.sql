{#- What feedback says in the record's own terms. -#}


{#- A satisfaction as a rating of 1 to 5; NULL where it is none. -#}
{% macro rating_of(satisfaction) -%}
    case {{ satisfaction }}
        {% for name, rating in var('satisfaction_ratings').items() %}
        when '{{ name }}' then {{ rating }}
        {% endfor %}
    end::integer
{%- endmacro %}
