-- One row is a cell, repository or everything that another routing policy would serve better.
--
-- Of rpt_routing_recommendations, and of levels that lie in each other the widest one only.
{{ config(materialized=whole_table()) }}

with

recommended as (
    select * from {{ ref('rpt_routing_recommendations') }}
    where recommended is not null
),

widest as (
    select * from recommended
    where
        case level
            when 'everything' then true
            when 'repository'
                then not exists (
                    select true
                    from recommended as wider
                    where wider.level = 'everything'
                )
            else not exists (
                select true
                from recommended as wider
                where
                    wider.level = 'everything'
                    or (wider.level = 'repository' and wider.repo = recommended.repo)
            )
        end
),

recent as (
    select
        repo,
        task_type,
        complexity_band,
        count(*) as recent_count
    from {{ ref('int_routing_decisions') }}
    where {{ is_recent() }} and timestamp <= {{ utc_now() }}
    group by repo, task_type, complexity_band
),

counted as (
    select
        widest.*,
        (
            select coalesce(sum(recent.recent_count), 0)::bigint
            from recent
            where
                recent.repo = coalesce(widest.repo, recent.repo)
                and recent.task_type = coalesce(widest.task_type, recent.task_type)
                and recent.complexity_band
                = coalesce(widest.complexity_band, recent.complexity_band)
        ) as recent_count
    from widest
)

{{ route_change_columns() }}
from counted
