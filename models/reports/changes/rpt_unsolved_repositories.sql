-- One row is a repository with tasks that never succeeded, which it should stop or redesign.
{{ config(materialized=whole_table()) }}

with

unsolved as (
    select
        repo,
        count(*) as task_count,
        sum(execution_count)::bigint as execution_count,
        sum(total_cost) as total_cost,
        sum(cost_known_count)::bigint as cost_known_count,
        sum(recent_count)::bigint as recent_count,
        max(success_rate_upper) as success_rate_upper,
        sum(recent_count * success_rate_upper) as successes_upper,
        arg_max(task_description, (coalesce(total_cost, 0), execution_count, text_id))
            as dearest_task,
        sum(usd_per_30_days) as usd_per_30_days,
        -- Each task's own margin, which are independent of each other; NULL where one is unknown.
        case
            when count(*) = count(cost_margin) then sqrt(sum(pow(cost_margin, 2)))
        end as cost_margin
    from {{ ref('rpt_unsolved_tasks') }}
    group by repo
),

tried as (
    select
        repo,
        count(distinct text_id) as tried_task_count,
        sum(execution_count)::bigint as tried_execution_count,
        sum(total_cost) as tried_cost,
        sum(cost_known_count)::bigint as tried_cost_known_count
    from {{ ref('int_task_tiers') }}
    group by repo
)

select
    unsolved.repo,
    unsolved.task_count,
    tried.tried_task_count,
    unsolved.execution_count,
    tried.tried_execution_count,
    unsolved.total_cost,
    unsolved.cost_known_count,
    tried.tried_cost,
    tried.tried_cost_known_count,
    unsolved.recent_count,
    unsolved.success_rate_upper,
    format(
        'Stop or redesign {:,} of {} of {}: {} without a success, {} of {}.',
        unsolved.task_count, {{ shown_count('tried.tried_task_count', 'task') }},
        {{ quoted_text('unsolved.repo') }},
        {{ shown_count('unsolved.execution_count', 'run') }},
        coalesce({{ shown_money('unsolved.total_cost') }}, 'an unknown sum'),
        coalesce({{ shown_money('tried.tried_cost') }}, 'an unknown sum')
    ) as sentence,
    format(
        'each was run at least {} times in {} days, so succeeds less than {} of times at 95 %; '
        || 'costs are known of {:,}; {} in the last 30 days; dearest: {}',
        {{ setting('min_samples_for_learning', '10') }}, {{ var('solution_window_days') }},
        {{ shown_rate('unsolved.success_rate_upper') }}, unsolved.cost_known_count,
        {{ shown_count('unsolved.recent_count', 'run') }},
        {{ quoted_text('unsolved.dearest_task') }}
    ) as reason,
    unsolved.usd_per_30_days,
    greatest(unsolved.usd_per_30_days - unsolved.cost_margin, 0) as usd_per_30_days_lower,
    unsolved.usd_per_30_days + unsolved.cost_margin as usd_per_30_days_upper,
    0::double as successes_per_30_days,
    -unsolved.successes_upper as successes_per_30_days_lower,
    0::double as successes_per_30_days_upper
from unsolved
inner join tried
    on unsolved.repo = tried.repo
