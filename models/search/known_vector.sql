-- One row is the vector of a text that the model has embedded already; no row where it has not.
{{ config(meta={'parameters': ['wanted_text', 'wanted_model := null']}) }}

select embedding
from {{ ref('text_embeddings') }}
where
    text_id = {{ text_id('wanted_text') }}
    and model = coalesce(wanted_model, '{{ embedding_model() }}')
    and embedding is not null
