-- The lower bounds that Newcombe (1998) prints in table II for method 10, to four decimals.
with

pairs as (
    select *
    from (
        values
        (56, 70, 48, 80, 0.0524),
        (9, 10, 3, 10, 0.1705),
        (6, 7, 2, 7, 0.0582),
        (5, 56, 0, 29, -0.0381),
        (0, 10, 0, 20, -0.1611),
        (0, 10, 0, 10, -0.2775),
        (10, 10, 0, 20, 0.6791),
        (10, 10, 0, 10, 0.6075),
        (0, 0, 0, 10, null),
        (10, 10, 0, 0, null)
    ) as pairs (successes_before, trials_before, successes, trials, lower_bound)
),

bounds as (
    select
        *,
        {{ difference_bound(
            'successes_before / nullif(trials_before, 0)',
            wilson_lower('successes_before', 'trials_before'),
            'successes / nullif(trials, 0)', wilson_upper('successes', 'trials'), '-'
        ) }} as found_lower
    from pairs
)

select *
from bounds
where round(found_lower, 4) is distinct from lower_bound
