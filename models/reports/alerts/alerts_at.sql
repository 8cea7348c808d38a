-- One row is an alert (and, for tier_drop, a tier), at the severity that it has reached.
--
-- A given threshold takes the place of the seed's for a warning; what is critical stays so, unless
-- the given one is beyond it. A threshold of the seed that most of the last 28 days broke raises
-- nothing: it is always so.
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

with

{{ alert_sources(now) }},

measured as (
    {{ measured_alerts(now) }}
),

thresholds as (
    {{ given_thresholds() }}
),

{{ usual_alerts(now, 'thresholds') }},

compared as (
    {{ compared_alerts('measured', 'thresholds', 'usual') }}
)

select
    alert_name,
    model_tier,
    severity,
    is_raised,
    case
        when value is null or not has_enough_samples then 'unknown'
        when is_raised then severity
        when is_always_so then 'always so'
        else 'ok'
    end as state,
    value,
    threshold,
    raised_when,
    unit,
    sample_count,
    has_enough_samples,
    reason,
    assigned_time_count,
    {{ alert_message() }} as message,
    {{ now }} as as_of
from compared
-- Of the severities that are raised the highest, else the one that comes first.
qualify
    row_number() over (
        partition by alert_name, model_tier
        order by is_raised desc, (severity = 'critical') = is_raised desc
    ) = 1
