-- One row is a model whose tier the seed model_tiers does not tell, with the line that would.
with

executions as (
    select * from {{ ref('fct_executions') }}
),

unknown_models as (
    select
        lower(trim(metadata ->> '$.model')) as model,
        count(*) as total_executions,
        max(timestamp) as last_execution_at
    from executions
    where model_tier = 'unknown' and trim(metadata ->> '$.model') <> ''
    group by all
)

select
    model,
    total_executions,
    last_execution_at,
    concat('"', replace(model, '"', '""'), '",TIER,why') as seed_line
from unknown_models
