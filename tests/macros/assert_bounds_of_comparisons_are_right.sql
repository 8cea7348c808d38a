-- The bounds of what is compared are those of the rates, at the same width.
{%- set z = "1.959963984540054::double" %}
with

cases (successes, runs) as (
    values (15, 40), (0, 10), (7, 8)
),

bounds as (
    select
        *,
        {{ bound_of_runs('successes', 'runs', z, '-') }} as lower,
        {{ bound_of_runs('successes', 'runs', z, '+') }} as upper
    from cases
)

select
    'bound of runs is Wilson''s' as claim,
    successes
from bounds
where
    abs(lower - {{ wilson_lower('successes', 'runs') }}) > 1e-9
    or abs(upper - {{ wilson_upper('successes', 'runs') }}) > 1e-9
union all
select
    'the quantile of Student''s t at z is t_quantile' as claim,
    runs as successes
from bounds
where abs({{ t_quantile_at(z, 'runs') }} - {{ t_quantile('runs') }}) > 1e-9
union all
-- By Bonferroni, 222 comparisons of 5 % are held at 3.69 standard errors, by tables of the normal
-- distribution; the quantile is right to 5e-4.
select
    'intervals of many comparisons are as wide as Bonferroni has them' as claim,
    0 as successes
where abs({{ quantile_of_comparisons('222') }} - 3.6889) > 1e-3
union all
-- Of 1, 2 and 6 dollars the variance is 7, that of their mean 7 / 3.
select
    'the variance of a mean cost is that of its sample' as claim,
    0 as successes
where abs({{ variance_of_mean_cost('9.0', '41.0', '3') }} - 7.0 / 3) > 1e-9
