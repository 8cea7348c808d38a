-- One row is a relation that people query first, and how many rows it has.
select
    'executions' as relation_name,
    count(*) as row_count
from {{ ref('executions') }}
union all
select
    'pool_performance_mv' as relation_name,
    count(*) as row_count
from {{ ref('pool_performance_mv') }}
union all
select
    'solution_patterns_mv' as relation_name,
    count(*) as row_count
from {{ ref('solution_patterns_mv') }}
union all
select
    'tier_performance_mv' as relation_name,
    count(*) as row_count
from {{ ref('tier_performance_mv') }}
