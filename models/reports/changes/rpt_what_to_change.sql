-- One row is something to change, by what it is worth; then a kind of which nothing is known.
--
-- At most a dozen: of each kind the three that are worth most, and of a kind without any one row,
-- which says so and has no worth. A table, so that it is read in no time.
{{ config(materialized=whole_table()) }}

with

changes as (
    {{ changes_of_kinds() }}
),

{{ ranked_changes() }},

rows_to_show as (
    select
        true as is_change,
        number,
        kind,
        repo,
        case
            when kind in ('larger_tier', 'better_solution') then {{ quoted_text('subject') }}
            else subject
        end as subject,
        sentence,
        reason,
        worth_usd,
        {{ stakes() }},
        execution_count,
        task_count,
        case
            when place = max(place) over (partition by kind)
                then kind_count - count(*) over (partition by kind)
            else 0
        end as more_count
    from found
    where number <= 12 - (select count(*) from silent)
    union all
    select
        false as is_change,
        null as number,
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
        order by
            shown.is_change desc,
            shown.worth_usd desc nulls last,
            kinds.kind_order asc,
            shown.number asc
    ) as place,
    shown.* exclude (number),
    {{ var('routing_usd_per_success') }}::double as success_worth_usd,
    kinds.source
from rows_to_show as shown
inner join kinds
    on shown.kind = kinds.kind
