{#- CTEs up to `found` and `silent`, of the CTE `changes`: what is worth most of each kind, and the kinds of
    which nothing is known. -#}
{% macro ranked_changes() -%}
valued as (
    select
        *,
        case
            when coalesce(usd_per_30_days, successes_per_30_days) is not null
                then {{ worth_of('usd_per_30_days', 'successes_per_30_days') }}
        end as worth_usd,
        row_number() over (
            partition by kind
            order by
                worth_usd desc nulls last,
                importance asc,
                execution_count desc,
                subject asc,
                repo asc
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
        row_number() over (order by worth_usd desc nulls last, place asc, kind asc) as number
    from valued
    where place <= 3
),

silent as (
    select *
    from kinds
    where kind not in (select kind from valued)
)
{%- endmacro %}
