-- One row is the whole database: how much came lately, how it went, and what to look at.
with

executions as not materialized (
    select * from {{ ref('fct_executions') }}
),

held as (
    select count(*) as total_executions from executions
    where timestamp <= {{ utc_now() }}
),

recent as (
    select
        count(*) filter ({{ started_within('1 hour') }}) as recent_1h,
        count(*) filter ({{ started_within('24 hour') }}) as daily,
        count(*) as weekly,
        count(*) filter (success and {{ started_within('24 hour') }}) as daily_successful_count,
        avg(duration_seconds) filter ({{ started_within('24 hour') }}) as avg_duration,
        avg(quality_score) filter ({{ started_within('24 hour') }}) as avg_quality
    from executions
    where {{ started_within('7 day') }}
),

last_day as (
    select
        'day' as period,
        *
    from executions
    where {{ started_within('24 hour') }}
),

figures as (
    select
        'day' as period,
        *
    from recent
),

{{ rates_by_task(
    ['period'], executions='last_day', successes='daily_successful_count', trials='daily'
) }},

schema as (
    select max(version) as schema_version from {{ ref('stg_schema_versions') }}
),

-- Of the file as it is now; rpt_storage has the samples of the past.
file as (
    select any_value(block_size * total_blocks) as size_bytes
    from pragma_database_size()
    where database_name = current_database()
),

statuses as (
    select
        schema.schema_version,
        file.size_bytes,
        held.total_executions,
        rates.recent_1h,
        rates.daily,
        rates.weekly,
        {{ rate_over_tasks('daily_success_rate', 'rates', 'daily_successful_count', 'daily') }},
        rates.avg_duration,
        rates.avg_quality
    from held
    cross join rates
    cross join schema
    cross join file
),

warnings as (
    select coalesce(list(message order by alert_name), []) as warnings
    from {{ ref('rpt_alerts') }}
    where
        is_raised
        and alert_name in (
            'no_executions', 'silence', 'build_age', 'daily_success_rate', 'success_drop',
            'database_size'
        )
)

select
    if(len(warnings) > 0, 'WARNING', 'OK') as status,
    schema_version,
    size_bytes / 1e6 as size_mb,
    total_executions,
    recent_1h,
    daily,
    weekly,
    daily_success_rate,
    daily_success_rate_lower,
    daily_success_rate_upper,
    task_count,
    has_enough_samples,
    avg_duration,
    avg_quality,
    warnings
from statuses
cross join warnings
