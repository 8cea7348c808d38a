{#- How a table macro is made. A NULL as a parameter's default makes a lake unreadable: DuckLake writes it as the
    text 'NULL', which does not fit the parameter's type. So there the query goes into `<name>__all`, whose parameters
    have no defaults, and the macro that is called has a text in NULL's place. -#}


{% macro create_table_macro(relation, parameters, query) -%}
    {%- if not on_lake() -%}
    create or replace macro {{ relation }}({{ parameters | join(', ') }}) as table (
        {{ query }}
    );
    {%- else -%}
    {%- set inner = relation.incorporate(path={'identifier': relation.identifier ~ '__all'}) -%}
    {%- set names, outer, arguments = [], [], [] -%}
    {%- for parameter in parameters -%}
        {%- set name, default = (parameter.split(':=') + [''])[:2] | map('trim') -%}
        {%- do names.append(name) -%}
        {%- if default == 'null' -%}
            {%- do outer.append(name ~ " := '(null)'") -%}
            {%- do arguments.append('nullif(' ~ name ~ "::varchar, '(null)')::" ~ parameter_type(name)) -%}
        {%- else -%}
            {%- do outer.append(parameter) -%}
            {%- do arguments.append(name) -%}
        {%- endif -%}
    {%- endfor %}
    create or replace macro {{ inner }}({{ names | join(', ') }}) as table (
        {{ query }}
    );
    create or replace macro {{ relation }}({{ outer | join(', ') }}) as table (
        select * from {{ inner.include(database=false) }}({{ arguments | join(', ') }})
    );
    {%- endif -%}
{%- endmacro %}


{#- The type of a parameter that may be NULL. -#}
{% macro parameter_type(name) -%}
    {%- set types = {
        'least_similarity': 'double',
        'moment': 'timestamp',
        'wanted_texts': 'ubigint[]',
        'wanted_success': 'boolean',
        'success_rate_threshold': 'double',
        'avg_duration_threshold': 'double',
        'db_size_threshold_mb': 'double',
    } -%}
    {{ return(types.get(name, 'varchar')) }}
{%- endmacro %}


{#- A lake has no comments on macros. -#}
{% macro comment_on_table_macro(relation, description) -%}
    {%- if not on_lake() and description %}
    comment on macro table {{ relation }} is '{{ description | replace("'", "''") }}';
    {%- endif -%}
{%- endmacro %}
