{#- What deletes beside loaders has a lake alone for that time: a delete there conflicts with every insert. Who builds a
    file has it alone already. -#}
{% macro begin_alone() %}
    {%- if on_lake() -%}{%- do run_query("select enter_gate()") -%}{%- endif -%}
{% endmacro %}


{% macro end_alone() %}
    {%- if on_lake() -%}{%- do run_query("select leave_gate()") -%}{%- endif -%}
{% endmacro %}


{#- The statements that put one row into a table, in the place of that with the same key. -#}
{% macro replace_row(table, key, value, query) -%}
    {%- if on_lake() %}
    delete from {{ table }} where {{ key }} = {{ value }};
    insert into {{ table }} by name {{ query }};
    {%- else %}
    insert or replace into {{ table }} by name {{ query }};
    {%- endif %}
{%- endmacro %}
