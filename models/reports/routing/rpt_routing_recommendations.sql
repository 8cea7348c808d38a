-- One row is a cell, repository or everything: the policy to be preferred to the baseline, if any.
with

gains as (
    select
        * exclude (measure, seen_gain, deviation, variance, gain, error),
        max(gain) filter (measure = 'success') over unit as success_gain,
        max(error) filter (measure = 'success') over unit as success_error,
        max(gain) filter (measure = 'cost') over unit as cost_gain,
        max(error) filter (measure = 'cost') over unit as cost_error,
        max(gain) filter (measure = 'utility') over unit as utility_gain,
        max(error) filter (measure = 'utility') over unit as utility_error
    from {{ ref('int_routing_gains') }}
    window unit as (partition by level, repo, task_type, complexity_band, policy)
    qualify measure = 'utility'
),

confidence as (
    select {{ quantile_of_recommendations() }} as z
    from {{ ref('routing_policies') }}
    where policy not in ('logged', '{{ var("routing_baseline") }}')
),

bounded as (
    select
        gains.*,
        confidence.z,
        2 * pow(decision_count, 2) / nullif(inverse_chances, 0) as effective_count,
        {{ success_gain_by_structure() }} as structural_gain,
        {{ bounds_of_gains() }}
    from gains
    cross join confidence
),

judged as (
    select
        *,
        {{ is_enough('effective_count') }} as has_enough_samples,
        {{ is_dominated() }} as is_dominated,
        has_enough_samples
        and not is_dominated
        and utility_gain_lower > 0
        and success_gain_lower >= {{ var('routing_success_loss') }} * -1 as is_recommended
    from bounded
),

best as (
    select * from judged
    qualify row_number() over (
        partition by level, repo, task_type, complexity_band
        order by is_recommended desc, {{ is_supported() }} desc, utility_gain desc, policy asc
    ) = 1
)

select
    level,
    repo,
    task_type,
    complexity_band,
    {{ bounds_of_complexity_band() }},
    baseline,
    case when is_recommended then policy end as recommended,
    case when is_recommended then plan end as plan,
    policy as best_candidate,
    {{ reason_of_recommendation() }} as reason,
    {{ var('routing_confidence') }}::double as confidence,
    {{ var('routing_usd_per_success') }}::double as success_worth_usd,
    decision_count,
    estimated_count,
    task_count,
    case when {{ is_supported() }} then effective_count end as effective_count,
    {% for of in ['success', 'cost', 'utility'] %}{% for bound in ['', '_lower', '_upper'] %}
    case when {{ is_supported() }} then {{ of }}_gain{{ bound }} end as {{ of }}_gain{{ bound }},
    {% endfor %}{% endfor %}
    case
        when is_recommended then decision_count
        when {{ is_supported() }}
            then ceil(decision_count * pow(z * utility_error / nullif(utility_gain, 0), 2))
    end::bigint as decisions_needed
from best
