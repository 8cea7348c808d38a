-- The bounds of a rate, to three decimals; no trials have none.
with

rates as (
    select *
    from (
        values
        (10, 10, 0.722, 1.000),
        (5, 10, 0.237, 0.763),
        (0, 10, 0.000, 0.278),
        (0, 0, null, null)
    ) as rates (successes, trials, lower_bound, upper_bound)
),

bounds as (
    select
        *,
        {{ wilson_lower('successes', 'trials') }} as found_lower,
        {{ wilson_upper('successes', 'trials') }} as found_upper
    from rates
)

select *
from bounds
where
    round(found_lower, 3) is distinct from lower_bound
    or round(found_upper, 3) is distinct from upper_bound
