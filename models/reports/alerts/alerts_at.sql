-- One row is an alert (and, for tier_drop, a tier), at the severity that it has reached.
--
-- A given threshold takes the place of the seed's for a warning; what is critical stays so, unless
-- the given one is beyond it.
{{ config(
    materialized='table_macro',
    meta={'parameters': [
        'success_rate_threshold := null',
        'avg_duration_threshold := null',
        'db_size_threshold_mb := null',
        'moment := null',
    ]}
) }}
{%- set now = 'coalesce(moment::timestamp, ' ~ utc_now() ~ ')' %}
{%- set least_samples = setting('min_samples_for_learning', '10') %}

with

last_hour as (
    select
        count(*) as total_executions,
        count(*) filter (success) as successful_count,
        sum(actual_cost) as total_cost,
        count(actual_cost) as cost_known_count,
        avg(duration_seconds) as avg_duration,
        count(duration_seconds) as duration_known_count
    from {{ ref('fct_executions') }}
    where timestamp between {{ now }} - interval 1 hour and {{ now }}
),

last_day as (
    select
        count(*) as total_executions,
        count(*) filter (success) as successful_count
    from {{ ref('fct_executions') }}
    where timestamp between {{ now }} - interval 24 hour and {{ now }}
),

everything as (
    select count(*) as total_executions
    from {{ ref('fct_executions') }}
    where timestamp <= {{ now }}
),

-- Of what was loaded, whether or not it was built since.
loaded as (
    select
        count(*) as version_count,
        max(version_time) as newest
    from {{ ref('stg_version_times') }}
    where version_time <= {{ now }}
),

-- A tier's last 24 hours, and the 30 days before them.
tiers as (
    select
        model_tier,
        count(*) filter (is_recent) as recent_count,
        count(*) filter (is_recent and success) as recent_successes,
        count(*) filter (not is_recent) as past_count,
        count(*) filter (not is_recent and success) as past_successes
    from (
        select
            model_tier,
            success,
            timestamp >= {{ now }} - interval 24 hour as is_recent
        from {{ ref('fct_executions') }}
        where timestamp between {{ now }} - interval 744 hour and {{ now }}
    )
    group by model_tier
),

-- What DuckDB counts now: a sample of `orb maintain` is from its last run, or there is none.
database_file as (
    select block_size * total_blocks / 1e6 as size_mb
    from pragma_database_size()
    where database_name = '{{ this.database }}'
),

measured as (
    select
        'no_executions' as alert_name,
        null::varchar as model_tier,
        total_executions::double as value,
        total_executions as sample_count,
        true as has_enough_samples,
        if(
            total_executions = 0,
            'No execution records found - database is empty',
            format('{:,} executions are in the database', total_executions)
        ) as finding
    from everything

    union all

    select
        'silence' as alert_name,
        null as model_tier,
        epoch({{ now }} - newest) / 3600 as value,
        version_count as sample_count,
        true as has_enough_samples,
        format('the newest execution that was loaded started {:.1f} hours ago', value) as finding
    from loaded

    union all

    select
        'build_age' as alert_name,
        null as model_tier,
        epoch({{ now }} - {{ built_at() }}) / 3600 as value,
        null as sample_count,
        true as has_enough_samples,
        format('the figures are those of the last build, {:.1f} hours ago', value) as finding

    union all

    select
        'success_rate' as alert_name,
        null as model_tier,
        100.0 * successful_count / nullif(total_executions, 0) as value,
        total_executions as sample_count,
        total_executions >= {{ least_samples }} as has_enough_samples,
        format('{:.1f} % of the last hour''s {:,} executions succeeded', value, sample_count)
            as finding
    from last_hour

    union all

    select
        'daily_success_rate' as alert_name,
        null as model_tier,
        100.0 * successful_count / nullif(total_executions, 0) as value,
        total_executions as sample_count,
        total_executions >= {{ least_samples }} as has_enough_samples,
        format('{:.1f} % of the last 24 hours'' {:,} executions succeeded', value, sample_count)
            as finding
    from last_day

    union all

    select
        'error_rate' as alert_name,
        null as model_tier,
        100.0 * (total_executions - successful_count) / nullif(total_executions, 0) as value,
        total_executions as sample_count,
        total_executions >= {{ least_samples }} as has_enough_samples,
        format('{:.1f} % of the last hour''s {:,} executions failed', value, sample_count)
            as finding
    from last_hour

    union all

    select
        'avg_duration' as alert_name,
        null as model_tier,
        avg_duration as value,
        duration_known_count as sample_count,
        duration_known_count >= {{ least_samples }} as has_enough_samples,
        format('the last hour''s {:,} executions took {:.1f} s on average', sample_count, value)
            as finding
    from last_hour

    union all

    select
        'hourly_cost' as alert_name,
        null as model_tier,
        total_cost as value,
        cost_known_count as sample_count,
        true as has_enough_samples,
        format('the last hour''s {:,} executions of known cost took ${:.2f}', sample_count, value)
            as finding
    from last_hour

    union all

    select
        'database_size' as alert_name,
        null as model_tier,
        size_mb as value,
        null as sample_count,
        true as has_enough_samples,
        format('the database holds {:.1f} MB', size_mb) as finding
    from database_file

    union all

    select
        'tier_drop' as alert_name,
        model_tier,
        100 * {{ least_drop('past_successes', 'past_count', 'recent_successes', 'recent_count') }}
            as value,
        recent_count as sample_count,
        least(past_count, recent_count) >= {{ least_samples }} as has_enough_samples,
        format(
            '{:.1f} % of the last 24 hours'' {:,} executions succeeded, after {:.1f} % of {:,} in '
            'the 30 days before: ',
            100.0 * recent_successes / nullif(recent_count, 0), recent_count,
            100.0 * past_successes / nullif(past_count, 0), past_count
        )
        || if(
            value > 0,
            format('a drop of at least {:.1f} points, 95 % sure', value),
            'no drop that so many show'
        ) as finding
    from tiers
),

thresholds as (
    select
        alert_name,
        severity,
        raised_when,
        unit,
        reason,
        case
            when alert_name in ('success_rate', 'daily_success_rate') then success_rate_threshold
            when alert_name = 'avg_duration' then avg_duration_threshold
            when alert_name = 'database_size' then db_size_threshold_mb
        end::double as given_threshold,
        case
            when severity = 'warning' then coalesce(given_threshold, threshold)
            when raised_when = 'under' then least(given_threshold, threshold)
            else greatest(given_threshold, threshold)
        end as threshold
    from {{ ref('alert_thresholds') }}
),

compared as (
    select
        measured.*,
        thresholds.severity,
        thresholds.raised_when,
        thresholds.unit,
        thresholds.reason,
        thresholds.threshold,
        measured.has_enough_samples and coalesce(
            case thresholds.raised_when
                when 'under' then measured.value < thresholds.threshold
                when 'over' then measured.value > thresholds.threshold
                else measured.value >= thresholds.threshold
            end,
            false
        ) as is_raised
    from measured
    inner join thresholds
        on measured.alert_name = thresholds.alert_name
)

select
    alert_name,
    model_tier,
    severity,
    is_raised,
    value,
    threshold,
    raised_when,
    unit,
    sample_count,
    has_enough_samples,
    reason,
    case
        when value is null then 'nothing to judge by'
        when unit = 'executions' then finding
        when not has_enough_samples
            then finding || '; too few to judge by, at least {{ least_samples }} are'
        else format(
            '{}; raised {} {:g} {}',
            finding, if(raised_when = 'reached', 'from', raised_when), threshold, unit
        )
    end as message,
    {{ now }} as as_of
from compared
-- Of the severities that are raised the highest, else the one that comes first.
qualify
    row_number() over (
        partition by alert_name, model_tier
        order by is_raised desc, (severity = 'critical') = is_raised desc
    ) = 1
