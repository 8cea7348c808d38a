-- One row is one valid execution, for tools that read no nested values: without its vector.
select
    * exclude (embedding), -- noqa: AM04
    metadata ->> '$.model' as model,
    metadata ->> '$.pool_id' as pool_id,
    metadata ->> '$.external_id' as external_id,
    try_cast(metadata ->> '$.input_tokens' as bigint) as input_tokens,
    try_cast(metadata ->> '$.output_tokens' as bigint) as output_tokens,
    coalesce(try_cast(metadata ->> '$.tokens' as bigint), input_tokens + output_tokens) as tokens,
    try_cast(metadata ->> '$.routing.attempt' as integer) as attempt
from {{ ref('executions') }}
