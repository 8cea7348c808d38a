-- One row is a stage between what was recorded and what became an execution, with its records.
with

versions as (
    select * from {{ ref('stg_version_times') }}
),

{{ placed_versions('versions') }},

stopped as (
    {{ stopped_records('placed_versions') }}
),

reasons as (
    select
        stage,
        reason,
        sum(record_count) as record_count
    from stopped
    where reason is not null
    group by
        stage,
        reason
),

top_reasons as (
    select
        stage,
        reason,
        record_count::bigint as record_count
    from reasons
    qualify row_number() over (partition by stage order by record_count desc, reason asc) = 1
),

counts as (
    {{ funnel_counts('versions', 'placed_versions', 'stopped') }}
),

stages as (
    select
        *,
        sum(record_count) filter (is_before_loading) over () as recorded_count,
        sum(record_count) filter (is_after_loading) over () as placed_count,
        sum(record_count) filter (stage = 'loaded') over () as loaded_count
    from counts
)

select
    stages.stage_order,
    stages.stage,
    stages.kind,
    case
        when stages.stage = 'recorded' then stages.recorded_count
        else stages.record_count
    end::bigint
        as record_count,
    top_reasons.reason as top_reason,
    top_reasons.record_count as top_reason_count,
    stages.placed_count = stages.loaded_count as is_complete
from stages
left join top_reasons
    on stages.stage = top_reasons.stage
