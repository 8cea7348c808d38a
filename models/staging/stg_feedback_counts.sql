-- One row is all feedback, how much was received and how much of it was removed.
select
    coalesce(sum(came_count), 0)::bigint as came_count,
    coalesce(sum(gone_count), 0)::bigint as gone_count
from {{ source('raw', 'feedback_counts') }}
