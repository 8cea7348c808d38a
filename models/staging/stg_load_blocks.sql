-- One row is a block of load numbers, with a fingerprint of the versions that raw holds of it.
select
    _load_seq // {{ var('load_block_size') }} as block,
    {{ fingerprint() }} as fingerprint
from {{ source('raw', 'executions') }}
group by block
