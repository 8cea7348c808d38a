-- One row is all feedback, how much was received and how much of it was removed.
select
    came_count,
    gone_count
from {{ source('raw', 'feedback_counts') }}
