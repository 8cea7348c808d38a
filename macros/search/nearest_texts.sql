{#- The texts nearest to the vector, of those that a join leaves. -#}
{% macro nearest_texts(text_embeddings, join, at_most) -%}
    select
        texts.text_id,
        array_inner_product(texts.embedding::float[384], query_vector::float[384]) as similarity
    from {{ text_embeddings }} as texts
    {{ join }}
    where
        texts.model = coalesce(wanted_model, '{{ embedding_model() }}')
        and texts.embedding is not null
    order by similarity desc, texts.text_id
    limit {{ at_most }}
{%- endmacro %}
