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

{{ alert_sources(now) }},

measured as (
    {{ measured_alerts(now) }}
),

thresholds as (
    {{ given_thresholds() }}
),

compared as (
    {{ compared_alerts('measured', 'thresholds') }}
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
