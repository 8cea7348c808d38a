-- One row is the whole database: how much came lately, how it went, and what to look at.
with

held as (
    select
        count(*) as total_executions,
        {{ assigned_times() }} as assigned_time_count
    from {{ ref('fct_executions') }}
    where timestamp <= {{ utc_now() }}
),

recent as (
    select
        count(*) filter ({{ started_within('1 hour') }}) as recent_1h,
        count(*) as weekly
    from {{ ref('fct_executions') }}
    where {{ started_within('7 day') }}
),

last_day as (
    select * from {{ ref('fct_executions') }}
    where {{ started_within('24 hour') }}
),

figures as (
    select
        true as is_of_last_day,
        {{ execution_figures() }}
    from last_day
),

{{ rates_by_task({'is_of_last_day': 'true'}, executions='last_day') }},

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
    rates.total_executions as daily,
    recent.weekly,
    {{ rate_over_tasks('daily_success_rate', 'rates', 'successful_count', 'total_executions') }},
    rates.avg_duration,
    rates.duration_known_count,
    rates.avg_quality,
    rates.quality_known_count,
    warnings.warnings,
    warnings.raised_alerts
from held
cross join recent
cross join rates
cross join file
cross join warnings
