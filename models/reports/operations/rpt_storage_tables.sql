-- One row is a table, with its size when `orb maintain` last ran.
with

table_samples as (
    select
        name as table_name,
        sampled_at,
        row_count,
        size_bytes
    from {{ ref('stg_storage_samples') }}
    where kind = 'table' and sampled_at <= {{ utc_now() }}
)

select
    table_name,
    sampled_at,
    row_count,
    size_bytes,
    size_bytes / nullif(row_count, 0) as bytes_a_row
from table_samples
qualify sampled_at = max(sampled_at) over ()
