-- One row is a file of archived feedback.
select
    file_name,
    archived_day,
    feedback_count,
    size_bytes,
    file_sha256,
    archived_at,
    unarchived_at
from {{ source('raw', 'archived_feedback_files') }}
