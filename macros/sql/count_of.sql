{#- The one number that a query returns. -#}
{% macro count_of(query) %}
    {{ return(run_query(query).columns[0].values()[0]) }}
{% endmacro %}
