{#- Rows for which the SQL condition `expression` is not true. Unknown counts as broken. -#}
{% test holds(model, expression) %}
    select * from {{ model }}
    where not coalesce({{ expression }}, false)
{% endtest %}
