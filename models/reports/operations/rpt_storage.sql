-- One row is the database, or a folder beside it, with its size and how it grows.
with

newest_samples as (
    select
        name as place,
        sampled_at,
        size_bytes,
        row_count
    from {{ ref('stg_storage_samples') }}
    where kind = 'place' and sampled_at <= {{ utc_now() }}
    qualify row_number() over (partition by name order by sampled_at desc) = 1
),

daily_samples as (
    {{ daily_storage_samples() }}
),

growth as (
    {{ storage_growth('daily_samples') }}
),

retention as (
    select
        'database' as place,
        date_diff('day', min(timestamp)::date, {{ utc_now() }}::date) as days_held,
        {{ setting('retention_days', '90') }} as days_to_keep
    from {{ ref('fct_executions') }}
    where timestamp <= {{ utc_now() }}
),

-- Until retention has something to delete, the database grows by what comes; then by the
-- difference of what comes and what goes, and an end cannot be foreseen.
projections as (
    select
        newest_samples.*,
        growth.growth_bytes_a_day,
        retention.days_held,
        coalesce(retention.days_held, 0) >= retention.days_to_keep as is_at_limit,
        size_bytes + growth_bytes_a_day
        * greatest(retention.days_to_keep - coalesce(retention.days_held, 0), 0) as projected_bytes
    from newest_samples
    left join growth
        on newest_samples.place = growth.place
    left join retention
        on newest_samples.place = retention.place
),

warning_days as (
    {{ days_of_threshold('projections', 'warning') }}
),

critical_days as (
    {{ days_of_threshold('projections', 'critical') }}
)

select
    projections.place,
    projections.sampled_at,
    projections.size_bytes,
    projections.row_count,
    projections.growth_bytes_a_day,
    projections.days_held,
    case
        when projections.projected_bytes < 0 then 0
        else projections.projected_bytes
    end::bigint as projected_bytes,
    warning_days.reached_on as warning_on,
    critical_days.reached_on as critical_on,
    case
        when projections.size_bytes >= critical_days.threshold_bytes then 'critical'
        when projections.size_bytes >= warning_days.threshold_bytes then 'warning'
        when projections.place = 'database' then 'ok'
    end as alert
from projections
left join warning_days
    on projections.place = warning_days.place
left join critical_days
    on projections.place = critical_days.place
