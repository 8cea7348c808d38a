-- One row is a tier, pool, model or repository whose success dropped against its own past.
--
-- Compared as the alert tier_drop compares: the last 24 hours with the 30 days before them, by the
-- least drop of the difference's interval over tasks, beyond the alert's threshold.
{{ config(materialized=whole_table()) }}
{%- set groups = {
    'tier': 'model_tier', 'pool': 'pool_type', 'model': '_model', 'repository': 'repo'
} %}

with

{{ past_and_recent(utc_now(), groups) }},

thresholds as (
    select min(threshold) / 100 as threshold
    from {{ ref('alert_thresholds') }}
    where alert_name = 'tier_drop'
)

select
    drops.dimension,
    drops.name,
    drops.recent_count,
    drops.recent_successes,
    drops.recent_rate,
    drops.past_count,
    drops.past_successes,
    drops.past_rate,
    drops.least_drop,
    drops.largest_drop,
    format(
        'Look at {} {}: {} of the last 24 hours'' {} succeeded, {} in the 30 days before.',
        drops.dimension, {{ quoted_text('drops.name') }}, {{ shown_rate('drops.recent_rate') }},
        {{ shown_count('drops.recent_count', 'run') }}, {{ shown_rate('drops.past_rate') }}
    ) as sentence,
    format(
        'a drop of at least {:.1f} points, 95 % sure, against {} before; the alerts raise it, too',
        100 * drops.least_drop, {{ shown_count('drops.past_count', 'run') }}
    ) as reason,
    30 * drops.recent_count * (drops.past_rate - drops.recent_rate) as successes_per_30_days,
    30 * drops.recent_count * drops.least_drop as successes_per_30_days_lower,
    30 * drops.recent_count * drops.largest_drop as successes_per_30_days_upper,
    drops.recent_count + drops.past_count as execution_count
from drops
cross join thresholds
where
    drops.name is not null
    and drops.past_tasks >= {{ setting('min_samples_for_learning', '10') }}
    and drops.recent_tasks >= {{ setting('min_samples_for_learning', '10') }}
    and drops.least_drop > thresholds.threshold
