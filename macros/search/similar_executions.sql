{#-
  A call of the table function similar_executions, for models and analyses.
  vector: an SQL expression, 384 floats of unit length, such as
    (select embedding from text_embeddings where text_id = …)
  The others are SQL expressions, too, by the names of the function's parameters.
-#}
{% macro similar_executions(vector) -%}
    {#- depends_on: the function stands on these -#}
    {%- set function = ref('similar_executions') -%}
    {%- set arguments = [vector] -%}
    {%- for name, value in kwargs.items() -%}{%- do arguments.append(name ~ ' := ' ~ value) -%}{%- endfor -%}
    {{ function }}({{ arguments | join(', ') }})
{%- endmacro %}
