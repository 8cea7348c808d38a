-- Feedback in raw is private, rejected, or in fct_feedback once: all of it, and nothing else.
with

counts as (
    select
        (select count(*) from {{ source('raw', 'feedback') }}) as raw_count,
        (select count(*) from {{ ref('stg_feedback') }}) as staged_count,
        (
            select count(*) from {{ ref('stg_feedback') }}
            where visibility = 'private' and is_valid
        ) as private_count,
        (
            select count(*) from {{ ref('stg_feedback') }}
            where not is_valid
        ) as rejected_count,
        (select count(*) from {{ ref('fct_feedback') }}) as valid_count
)

select *
from counts
where raw_count != staged_count or raw_count != private_count + rejected_count + valid_count
