-- One row is a place and a UTC day of the last 30 days, with its size when it was last measured.
with

daily_samples as (
    select
        name as place,
        sampled_at::date as date,
        sampled_at,
        size_bytes,
        row_count
    from {{ ref('stg_storage_samples') }}
    where kind = 'place' and sampled_at >= {{ window_start('day', 30) }}
    qualify
        row_number() over (partition by name, sampled_at::date order by sampled_at desc) = 1
)

select
    place,
    date,
    sampled_at,
    size_bytes,
    row_count,
    size_bytes - lag(size_bytes) over (partition by place order by date) as grown_bytes
from daily_samples
