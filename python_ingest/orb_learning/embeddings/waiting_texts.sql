-- The texts that the model has not embedded: {texts} is the relation of all, {embedded} of those
-- that are embedded by whatever model. Those of the newest executions come first.
create or replace temp table waiting_texts as
with

embedded as (
    select
        text_id,
        text_number,
        model
    from {embedded}
),

waiting as (
    select
        text_id,
        any_value(text) as text,
        max(timestamp) as last_seen
    from {texts}
    where text_id not in (select text_id from embedded where model = $model)
    group by text_id
)

select
    text_id,
    (select coalesce(max(text_number), 0) from embedded)
    + row_number() over (order by last_seen desc, text_id) as text_number,
    sha256(text) as text_sha256,
    text
from waiting
