-- One row is a cell, repository or everything, a policy and a measure: its gain over the baseline.
-- Units of a level are drawn towards each other: random effects by DerSimonian, R. and Laird, N.
-- (1986), Meta-analysis in clinical trials, Controlled Clinical Trials 7.
with

measures as (
    select
        *,
        unnest({{ measures_of_gain() }}, recursive := true)
    from {{ ref('int_routing_scores') }}
    where baseline <> '' and policy <> 'logged'
),

pooled as (
    select
        level,
        policy,
        measure,
        sum(greatest(deviation, 0)) / sum(decision_count) as mean_deviation,
        sum(inverse_chances) / sum(decision_count) as mean_inverse_chance,
        sum(decision_squares) / sum(decision_count) as mean_repeats
    from measures
    group by level, policy, measure
),

units as (
    select measures.*, {{ mixed_variance() }} as variance
    from measures
    inner join pooled using (level, policy, measure)
),

fixed_effects as (
    select
        level,
        policy,
        measure,
        count(*) as unit_count,
        sum(seen_gain / variance) / sum(1 / variance) as gain,
        sum(1 / variance) as weight,
        sum(1 / pow(variance, 2)) as squared_weight
    from units
    where variance > 0
    group by level, policy, measure
),

spreads as (
    select
        level,
        policy,
        measure,
        any_value(fixed_effects.unit_count) as unit_count,
        {{ variance_between_units() }} as variance_between
    from units
    inner join fixed_effects using (level, policy, measure)
    where units.variance > 0
    group by level, policy, measure
),

centres as (
    select
        level,
        policy,
        measure,
        any_value(spreads.unit_count) as unit_count,
        any_value(variance_between) as variance_between,
        sum(seen_gain / (variance + variance_between))
        / sum(1 / (variance + variance_between)) as gain,
        1 / sum(1 / (variance + variance_between)) as variance
    from units
    inner join spreads using (level, policy, measure)
    where variance > 0
    group by level, policy, measure
)

select
    units.*, -- noqa: AM04
    {{ drawn_gain() }} as gain,
    sqrt({{ drawn_variance() }}) as error
from units
inner join centres using (level, policy, measure)
