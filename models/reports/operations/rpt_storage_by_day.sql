-- One row is a place and a UTC day of the last 30 days, with its size when it was last measured.
with

daily_samples as (
    {{ daily_storage_samples() }}
)

select
    place,
    date,
    sampled_at,
    size_bytes,
    row_count,
    size_bytes - lag(size_bytes) over (partition by place order by date) as grown_bytes
from daily_samples
