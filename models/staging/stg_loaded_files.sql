-- One row is one load of a file.
select
    file_sha256,
    file_name,
    row_count,
    unreadable_count,
    loaded_at
from {{ source('raw', 'loaded_files') }}
