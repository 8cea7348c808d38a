-- One row is a reason for which outboxes refused records, and how many.
select
    reason,
    sum(refused_count)::bigint as refused_count,
    max(loaded_at) as loaded_at
from {{ source('raw', 'refused_records') }}
group by reason
