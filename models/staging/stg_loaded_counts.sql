-- One row is a day, with how many versions came on it.
select
    loaded_on,
    version_count
from {{ source('raw', 'loaded_counts') }}
