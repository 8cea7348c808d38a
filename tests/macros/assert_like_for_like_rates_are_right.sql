-- Standardised rates and differences of mix that differ from those worked out by hand. A stratum: the
-- successes and trials of the one, and the trials of the other. Of the second case: strata weigh
-- 1·9/10 = 0.9 and 30·10/40 = 7.5, so the rate is (0.9·1 + 7.5·0.4) / 8.4 = 0.4643.
{% set cases = {
    'equal strata': ['[[64, 80, 20], [10, 20, 80]]', '0.65', '0.6'],
    'a stratum of one trial weighs little': ['[[1, 1, 9], [12, 30, 10]]', '0.4643', '0.4414'],
    'a stratum of one alone has no say': ['[[5, 10, 10], [10, 10, 0]]', '0.5', '0.5'],
    'the same mix': ['[[3, 4, 8], [2, 4, 8]]', '0.625', '0.0'],
    'nothing in common': ['[[5, 10, 0], [0, 0, 10]]', 'null', '1.0'],
} %}
with

strata as (
    {% for name, (strata, rate, difference) in cases.items() %}
    select
        '{{ name }}' as name,
        {{ rate }} as rate,
        {{ difference }} as difference,
        unnest({{ strata }}) as stratum
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

shares as (
    select
        *,
        stratum[2] / sum(stratum[2]) over (partition by name) as share,
        stratum[3] / sum(stratum[3]) over (partition by name) as other_share
    from strata
),

found as (
    select
        name,
        rate,
        difference,
        {{ like_for_like_rate('stratum[1]', 'stratum[2]', 'stratum[3]') }} as found_rate,
        {{ mix_difference('share', 'other_share') }} as found_difference
    from shares
    group by name, rate, difference
)

select *
from found
where
    round(found_rate, 4) is distinct from rate
    or round(found_difference, 4) is distinct from difference
