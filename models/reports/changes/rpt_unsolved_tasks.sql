-- One row is a task that was run often, and never succeeded.
with

tiers as (
    select
        *,
        total_cost / nullif(cost_known_count, 0) * recent_cost_known_count as recent_cost,
        {{ variance_of_mean_cost('total_cost', 'cost_squares', 'cost_known_count') }}
        * pow(recent_cost_known_count, 2) as recent_variance
    from {{ ref('int_task_tiers') }}
),

tasks as (
    select
        repo,
        text_id,
        min(task_description) as task_description,
        list_sort(list(model_tier)) as model_tiers,
        arg_max(model_tier, {{ tier_rank('model_tier') }}) as largest_tier,
        sum(execution_count)::bigint as execution_count,
        sum(cost_known_count)::bigint as cost_known_count,
        sum(total_cost) as total_cost,
        sum(recent_count)::bigint as recent_count,
        max(last_seen) as last_seen,
        coalesce(sum(recent_cost), 0) as usd_per_30_days,
        -- Where a mean is of one cost, how far it is off is not known.
        case
            when count(*) filter (recent_cost_known_count > 0 and recent_variance is null) = 0
                then
                    {{ t_quantile(
                        'min(cost_known_count) filter (recent_cost_known_count > 0) - 1'
                    ) }}
                    * sqrt(coalesce(sum(recent_variance) filter (recent_cost_known_count > 0), 0))
        end as cost_margin
    from tiers
    group by repo, text_id
    having sum(success_count) = 0
)

select
    repo,
    task_description,
    model_tiers,
    largest_tier,
    execution_count,
    {{ wilson_upper('0', 'execution_count') }} as success_rate_upper,
    total_cost,
    cost_known_count,
    recent_count,
    last_seen,
    usd_per_30_days,
    cost_margin,
    text_id
from tasks
