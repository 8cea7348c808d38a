-- One row is the whole database: how much came lately, how it went, and what to look at.
with

executions as (
    select * from {{ ref('fct_executions') }}
),

held as (
    select
        count(*) as total_executions,
        {{ assigned_times() }} as assigned_time_count
    from executions
    where timestamp <= {{ utc_now() }}
),

recent as (
    select
        count(*) filter ({{ started_within('1 hour') }}) as recent_1h,
        count(*) as weekly
    from executions
    where {{ started_within('7 day') }}
),

last_day as (
    select * from {{ ref('rpt_performance') }}
    where time_range = '24h'
),

-- Of the file as it is now; rpt_storage has the samples of the past.
file as (
    {{ database_size() }}
),

warnings as (
    select
        coalesce(
            list(
                concat(alert_name, ' of ' || model_tier, ' (', severity, ')')
                order by severity <> 'critical', alert_name, model_tier
            ), []
        ) as raised_alerts,
        coalesce(
            list(message order by alert_name) filter (alert_name in (
                'no_executions', 'silence', 'build_age', 'daily_success_rate', 'success_drop',
                'database_size'
            )), []
        ) as warnings
    from {{ ref('rpt_alerts') }}
    where is_raised
)

select
    case when len(warnings.raised_alerts) > 0 then 'WARNING' else 'OK' end as status,
    (select max(version) from {{ ref('stg_schema_versions') }}) as schema_version,
    file.size_bytes / 1e6 as size_mb,
    held.total_executions,
    held.assigned_time_count,
    recent.recent_1h,
    last_day.total_executions as daily,
    recent.weekly,
    last_day.success_rate as daily_success_rate,
    last_day.success_rate_lower as daily_success_rate_lower,
    last_day.success_rate_upper as daily_success_rate_upper,
    last_day.task_count,
    last_day.has_enough_samples,
    last_day.avg_duration,
    last_day.duration_known_count,
    last_day.avg_quality,
    last_day.quality_known_count,
    warnings.warnings,
    warnings.raised_alerts
from held
cross join recent
cross join last_day
cross join file
cross join warnings
