-- One row is a distinct task text like a given vector, with the executions of it that are wanted.
--
-- Wanted first, ranked then: so a filtered search still returns as many texts as it may. A text
-- that was run a thousand times is one row, its outcomes summed up over all tiers and by tier.
{{ config(meta={'parameters': search_parameters()}) }}

{{ texts_by_similarity(ref('fct_executions'), ref('text_embeddings')) }}
