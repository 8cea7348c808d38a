-- One row is a cluster of solutions that succeeded on tasks which failed with a similar error.
--
-- Ranked like similar_solutions; the similarity is that of the error messages.
{{ config(meta={'parameters': solution_search_parameters()}) }}

{{ solutions_by_similarity(
    ref('fct_executions'), ref('text_embeddings'), ref('int_text_clusters'), '_error_text_id'
) }}
