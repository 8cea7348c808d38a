-- One row is a day, with how many versions were received on it.
select
    loaded_on,
    sum(version_count)::bigint as version_count
from {{ source('raw', 'loaded_counts') }}
group by loaded_on
