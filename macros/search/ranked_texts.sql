{#-
  The wanted texts nearest to the vector: at most at_most, by similarity and number.

  Filtering first collects the numbers of all wanted texts, which takes a third of the time of
  ranking a million. So where most texts are wanted, all are ranked first, and who is wanted is
  looked up of the nearest only. Where these are too few, or fewer texts are wanted, they are
  filtered first; a way that is not needed reads a chunk of rows and stops. Both give the same.

  text_id: the column of the executions whose texts are compared.
  among: whether to compare only the texts that the parameter wanted_texts names.
-#}
{% macro ranked_texts(text_embeddings, text_id, at_most, among=false) -%}
{%- if not among -%}
-- From three quarters on, ranking first is quicker.
most_are_wanted as (
    select true as is_so
    from wanted
    having approx_count_distinct({{ text_id }}) >= 0.75 * (select count(*) from {{ text_embeddings }})
),

candidates as (
    {{ nearest_texts(text_embeddings, 'cross join most_are_wanted', '20 * ' ~ at_most) }}
),

wanted_candidates as (
    select candidates.*
    from candidates
    semi join wanted
        on candidates.text_id = wanted.{{ text_id }}
    order by candidates.similarity desc, candidates.text_id
    limit {{ at_most }}
),

too_few as (
    select true as is_so
    from wanted_candidates
    having count(*) < {{ at_most }}
),

{% endif -%}
-- HAVING is true of all: without it DuckDB expects as many texts as there are vectors, and makes
-- its hash table of the vectors.
texts_of_wanted as (
    select wanted.{{ text_id }} as text_id
    from wanted
    {%- if among %}
    where wanted.{{ text_id }} in (select unnest(wanted_texts))
    {%- else %}
    cross join too_few
    {%- endif %}
    group by wanted.{{ text_id }}
    having count(*) > 0
),

ranked_texts_of_wanted as (
    {{ nearest_texts(
        text_embeddings,
        'inner join texts_of_wanted on texts.text_id = texts_of_wanted.text_id',
        at_most
    ) }}
),

ranked as (
    {%- if not among %}
    select * from wanted_candidates
    where not exists (select * from too_few)
    union all
    {%- endif %}
    select * from ranked_texts_of_wanted
)
{%- endmacro %}
