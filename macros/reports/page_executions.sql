{#- An aggregate: the newest executions of a group, as a list. -#}
{% macro newest_executions(how_many) -%}
    max({'started_at': timestamp, 'task_id': task_id}, {{ how_many }})
{%- endmacro %}
