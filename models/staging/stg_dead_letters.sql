-- One row is a record that was not taken, without its content.
select
    dead_letter_id,
    kind,
    reason,
    put_at,
    loaded_at
from {{ source('raw', 'dead_letters') }}
