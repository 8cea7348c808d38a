-- The texts that have a vector of the model, by kind, each with the leader that it was given before:
-- none where it is new, or where its leader has gone. The relations are put in by new_rows: all
-- texts, their vectors, and the clusters as they were built last.
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

-- A text that was embedded again has another number: its vector may differ.
known as (
    select
        kind,
        text_id,
        clustered.cluster_id,
        clustered.similarity
    from {clustered} as clustered
    join present using (kind, text_id, text_number)
    where
        clustered.model = $model
        and clustered.threshold = $threshold
        and clustered.definition = $definition
)

select
    present.kind,
    present.text_id,
    present.text_number,
    leaders.text_id as leader_id,
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
