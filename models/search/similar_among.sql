-- One row is a distinct task text of some that are given, like similar_executions has it.
--
-- For texts that an index has found: wanted_texts holds their numbers.
{{ config(meta={'parameters': search_parameters() + ['wanted_texts := null']}) }}

{{ texts_by_similarity(ref('fct_executions'), ref('text_embeddings'), among=true) }}
