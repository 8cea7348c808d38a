-- One row is the size of a place or a table at a moment.
select
    sampled_at,
    kind,
    name,
    size_bytes,
    row_count
from {{ source('raw', 'storage_samples') }}
