-- One row is all feedback, how much came and how much of it is gone.
select
    came_count,
    gone_count
from {{ source('raw', 'feedback_counts') }}
