-- One row is a file of archived versions.
select
    file_name,
    archived_day,
    version_count,
    size_bytes,
    file_sha256,
    archived_at,
    unarchived_at
from {{ source('raw', 'archived_files') }}
