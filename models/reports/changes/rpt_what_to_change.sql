-- One row is something to change, ordered by what it is worth; after those, kinds of which none is known.
--
-- At most a dozen: of each kind the three that are worth most, and of a kind without any one row, which
-- says so and has no worth.
with

changes as (
    {{ changes_of_kinds() }}
),

valued as (
    select
        *,
        case
            when coalesce(usd_per_30_days, successes_per_30_days) is not null
                then {{ worth_of('usd_per_30_days', 'successes_per_30_days') }}
        end as worth_usd,
        row_number() over (
            partition by kind
            order by worth_usd desc nulls last, importance, execution_count desc, subject, repo
        ) as place,
        count(*) over (partition by kind) as kind_count
    from changes
    where worth_usd is null or worth_usd > 0
),

kinds as (
    {{ change_kinds() }}
),

-- Kinds without a change first take their rows; what is left goes to changes.
found as (
    select
        *,
        row_number() over (order by worth_usd desc nulls last, place, kind) as number
    from valued
    where place <= 3
),

silent as (
    select *
    from kinds
    where kind not in (select kind from valued)
),

rows_to_show as (
    select
        true as is_change,
        kind,
        repo,
        subject,
        sentence,
        reason,
        worth_usd,
        {{ stakes() }},
        execution_count,
        task_count,
        if(
            place = max(place) over (partition by kind),
            kind_count - count(*) over (partition by kind),
            0
        ) as more_count
    from found
    where number <= 12 - (select count(*) from silent)
    union all
    select
        false as is_change,
        kind,
        null as repo,
        null as subject,
        sentence,
        reason,
        null as worth_usd,
        {{ no_stakes() }},
        null as execution_count,
        null as task_count,
        0 as more_count
    from silent
)

select
    row_number() over (
        order by shown.is_change desc, shown.worth_usd desc nulls last, kinds.kind_order, shown.subject
    ) as place,
    shown.*,
    kinds.source
from rows_to_show as shown
inner join kinds
    on shown.kind = kinds.kind
