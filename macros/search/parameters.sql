{% macro search_parameters() -%}
    {{ return([
        'query_vector',
        'at_most := 10',
        'least_similarity := null',
        'days_back := 90',
        'wanted_repo := null',
        'wanted_tier := null',
        'wanted_success := null',
        'wanted_model := null',
        'moment := null',
    ]) }}
{%- endmacro %}


{% macro solution_search_parameters() -%}
    {{ return([
        'query_vector',
        'at_most := 10',
        'least_similarity := null',
        'days_back := 90',
        'wanted_repo := null',
        'wanted_model := null',
        'moment := null',
    ]) }}
{%- endmacro %}
