-- One row is a time range and a choice of every filter of the page, beside the range before.
{% set choices = ['time_range', 'repo_place', 'model_tier_place', 'pool_type_place'] %}
{% set keys = choices + ['is_before'] %}
with

{{ executions_and_before() }},

{{ repeated_ratio_sums(keys) }},

-- Sums of groups are what is summed for every choice: there are few of them.
groups as (
    select
        {{ keys | join(', ') }},
        count(*) as total_executions,
        sum(actual_cost) as total_cost,
        {{ ratio_sums() }}
    from executions
    group by {{ keys | join(', ') }}
),

sums as (
    select
        {{ keys | join(', ') }},
        sum(total_executions)::bigint as total_executions,
        sum(total_cost) as total_cost,
        {{ summed(['of', 'over', 'tasks', 'of_squares', 'products', 'over_squares']) }}
    from groups
    group by time_range, is_before, {{ every_choice() }}
),

sides as (
    select
        {{ choice_columns('sums') }},
        sums.time_range,
        sums.is_before,
        sums.total_executions,
        sums.total_cost,
        {{ ratio_columns() }}
    from sums
    left join repeated_sums
        on {{ same_group('sums', 'repeated_sums', keys) }}
),

{{ ranges_with_one_before() }}

select
    shown.time_range,
    shown.repo_place,
    shown.model_tier_place,
    shown.pool_type_place,
    case
        when ranges.has_before then coalesce(before.total_executions, 0)
    end as total_executions_before,
    shown.total_executions / nullif(total_executions_before, 0) - 1 as total_executions_growth,
    case when ranges.has_before then before.total_cost end as total_cost_before,
    shown.total_cost / nullif(total_cost_before, 0) - 1 as total_cost_growth,
    {{ ratio_changes() }}
from sides as shown
inner join ranges
    on shown.time_range = ranges.time_range
left join sides as before
    on before.is_before and {{ same_group('shown', 'before', choices) }}
where not shown.is_before
