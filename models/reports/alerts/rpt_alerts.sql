-- One row is an alert (and, for tier_drop, a tier), at the severity that it has reached.
select
    alert_name,
    model_tier,
    severity,
    is_raised,
    state,
    value,
    threshold,
    raised_when,
    unit,
    sample_count,
    has_enough_samples,
    reason,
    assigned_time_count,
    message,
    as_of
from {{ ref('alerts_at') }}()
