-- The leader of a text's cluster leads itself, is of the same kind and comes before the text.
with

clusters as (
    select * from {{ ref('int_text_clusters') }}
)

select
    clusters.kind,
    clusters.text_id,
    clusters.cluster_id,
    leaders.cluster_id as leads
from clusters
left join clusters as leaders
    on clusters.kind = leaders.kind and clusters.cluster_id = leaders.text_id
where
    leaders.cluster_id is distinct from clusters.cluster_id
    or leaders.text_id > clusters.text_id
