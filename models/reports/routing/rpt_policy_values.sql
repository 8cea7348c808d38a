-- One row is a repository, or everything, and a policy: what all decisions would have come to.
--
-- Everything has no repository. Of costs, intervals are of the part within the budget for a run.
-- What the decisions gave no chance has no value: what a small tier fails is hard for others, too.
with

scores as (
    select * from {{ ref('int_routing_scores') }}
    where baseline = '' and level <> 'cell'
),

variances as (
    select
        *,
        pow(decision_count, 2) / nullif(inverse_chances, 0) as effective_count,
        {{ variances_of_values() }}
    from scores
),

errors as (
    select
        *,
        success - capped_cost / {{ var('routing_usd_per_success') }} as utility,
        {{ errors_of_values() }},
        {{ t_quantile('greatest(effective_count - 1, 4)') }} as t,
        {{ is_enough('effective_count') }} as has_enough_samples,
        {{ is_dominated() }} as is_dominated
    from variances
),

intervals as (
    select
        *,
        {{ intervals_of_values() }}
    from errors
)

select
    repo,
    policy,
    decision_count,
    estimated_count,
    {{ excluded_count('intervals') }} as excluded_count,
    known_count as cost_known_count,
    task_count,
    case when {{ is_supported() }} then effective_count end as effective_count,
    unsupported_count,
    first_success_count / nullif(first_run_count, 0) as naive_success,
    first_cost / nullif(first_known_count, 0) as naive_cost,
    case when {{ is_supported() }} then success end as success,
    case when has_enough_samples then success_lower else 0 end as success_lower,
    case when has_enough_samples then success_upper else 1 end as success_upper,
    {% for value in ['cost', 'capped_cost'] %}
    case when {{ is_supported() }} then {{ value }} end as {{ value }},
    {% endfor %}
    {% for bound in ['cost_lower', 'cost_upper'] %}
    case when has_enough_samples then {{ bound }} end as {{ bound }},
    {% endfor %}
    dearest_cost / nullif(seen_cost, 0) as dearest_run_share,
    case when {{ is_supported() }} then utility end as utility,
    {% for bound in ['utility_lower', 'utility_upper'] %}
    case when has_enough_samples then {{ bound }} end as {{ bound }},
    {% endfor %}
    {{ var('routing_usd_per_success') }}::double as success_worth_usd,
    has_enough_samples,
    {{ reason_of_value() }} as reason
from intervals
