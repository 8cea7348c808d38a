-- The band of a score is the one within whose bounds it is, and no other.
with

scores as (
    select unnest(range(-1, 102)) as score
),

bands as (
    select
        complexity_band,
        {{ bounds_of_complexity_band() }}
    from (values ('low'), ('medium'), ('high')) as named (complexity_band)
)

select
    scores.score,
    bands.complexity_band
from scores
cross join bands
where
    (bands.complexity_band = {{ routing_complexity_band('scores.score') }})
    <> (
        coalesce(scores.score >= bands.complexity_from, true)
        and coalesce(scores.score < bands.complexity_below, true)
    )
