-- One row is a cluster of solutions that succeeded on tasks like a given vector.
--
-- Ranked by the similarity of the nearest such task times the lower bound of the success rate that
-- the cluster's solutions had on all of these tasks: once out of once is less than ten of eleven.
{{ config(meta={'parameters': solution_search_parameters()}) }}

{{ solutions_by_similarity(
    ref('fct_executions'), ref('text_embeddings'), ref('int_text_clusters'), '_task_text_id'
) }}
