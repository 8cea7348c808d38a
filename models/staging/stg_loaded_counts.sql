-- One row is a day, with how many versions were received on it.
select
    loaded_on,
    version_count
from {{ source('raw', 'loaded_counts') }}
