-- One row is a check of the data, with how many rows it looked at and how many failed it.
with

broken_rules as (
    select unnest(broken_rules) as rule from {{ ref('rejected_executions') }}
),

-- Those that a later one has superseded, too, as far as the last build saw them.
versions as (
    select count(*) as version_count
    from {{ ref('stg_version_times') }}
    where
        _load_seq <= greatest(
            (select coalesce(max(_load_seq), 0) from {{ ref('fct_executions') }}),
            (select coalesce(max(_load_seq), 0) from {{ ref('rejected_executions') }})
        )
),

-- As many rows as rules that reject: one that nothing broke has its row, too.
rejections as (
    select
        rules.check_name,
        'rejected' as check_kind,
        'versions ever loaded' as checked_rows,
        any_value(versions.version_count) as checked_count,
        count(broken_rules.rule) as failing_count
    from (
        select unnest([{{ names_of_rules('reject') }}]) as check_name
    ) as rules
    cross join versions
    left join broken_rules
        on rules.check_name = broken_rules.rule
    group by rules.check_name
),

warnings as (
    {{ warned_checks(ref('fct_executions')) }}
),

recorded_twice as (
    {{ recorded_twice(ref('fct_executions')) }}
),

unreadable_rows as (
    {{ unreadable_rows() }}
),

checks as (
    select * from rejections
    union all by name
    select
        warning.name as check_name,
        check_kind,
        warning.checked_rows,
        warning.checked as checked_count,
        warning.failing as failing_count
    from warnings
    union all by name
    select * from recorded_twice
    union all by name
    select * from unreadable_rows
)

select
    check_name,
    check_kind,
    checked_rows,
    checked_count,
    failing_count,
    failing_count / nullif(checked_count, 0) as failing_share,
    case
        when checked_count = 0 then 'unknown'
        when failing_count = 0 then 'ok'
        else 'warning'
    end as status
from checks
