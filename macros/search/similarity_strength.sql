{#- A similarity in a word, by docs/embeddings.md: half of the tasks in other words are strong, and 5 of
    10,000 pairs of different tasks; fair begins where unrelated texts end. -#}
{% macro similarity_strength() -%}
    case
        when similarity >= greatest(0.5, {{ setting('similarity_threshold', '0.4') }}) then 'strong'
        when similarity >= {{ setting('similarity_threshold', '0.4') }} then 'fair'
        else 'weak'
    end as strength
{%- endmacro %}


{#- Whether a text is near enough, where the search asks for it. -#}
{% macro is_near_enough() -%}
    (least_similarity is null or similarity >= least_similarity)
{%- endmacro %}
