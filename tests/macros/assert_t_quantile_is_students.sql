-- Degrees of freedom whose 97.5th percentile of Student's t is not the printed one, to 0.2 %:
-- Abramowitz and Stegun (1964), table 26.10.
with

printed as (
    select *
    from (
        values
        (3, 3.182), (4, 2.776), (9, 2.262), (20, 2.086), (60, 2.000), (1e9, 1.960), (0, null)
    ) as printed (degrees, quantile)
),

found as (
    select
        *,
        {{ t_quantile('degrees') }} as found_quantile
    from printed
)

select *
from found
where
    (found_quantile is null) != (quantile is null)
    or abs(found_quantile / quantile - 1) > 0.002
