-- One row is a row of a file that could not be read, as it stood there.
select
    file_sha256,
    file_name,
    row_number,
    reason,
    content,
    loaded_at
from {{ source('raw', 'unreadable_rows') }}
