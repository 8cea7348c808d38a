{#- Vectors that no execution refers to any more. -#}
{% macro delete_unused_vectors() -%}
    delete from {{ ref('text_embeddings') }}
    where text_id not in (select text_id from {{ ref('int_texts') }})
{%- endmacro %}
