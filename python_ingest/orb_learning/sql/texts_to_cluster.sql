-- The texts that have a vector of the model, by kind, each with the leader that it was given before:
-- no leader where it is new, or where its leader has gone. {texts}, {embedded} and {clustered} are
-- the relations of all texts, of their vectors and of the clusters as they were built last.
create or replace temp table texts_to_cluster as
with

present as (
    select
        kind,
        text_id,
        embedded.text_number
    from (
        select distinct
            kind,
            text_id
        from {texts}
        where kind in ('task', 'solution')
    )
    join {embedded} as embedded using (text_id)
    where embedded.model = $model and embedded.embedding is not null
),

-- A text that was embedded again comes later than before: it leads no text that came in between.
known as (
    select
        kind,
        text_id,
        text_number,
        clustered.cluster_id,
        clustered.similarity
    from {clustered} as clustered
    join present using (kind, text_id, text_number)
    where clustered.model = $model and clustered.threshold = $threshold
)

select
    present.kind,
    present.text_id,
    present.text_number,
    leaders.text_number as leader_number,
    known.similarity
from present
left join known using (kind, text_id)
left join known as leaders
    on known.kind = leaders.kind and known.cluster_id = leaders.text_id;

create or replace temp table texts_gone as
select
    kind,
    text_id
from {clustered}
anti join texts_to_cluster using (kind, text_id);
