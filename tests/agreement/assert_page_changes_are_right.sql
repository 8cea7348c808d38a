-- Choices of the page whose figures of the range before, or changes since, are not what each task's
-- executions say: without a choice, and of each tier that has a place of its own.
with

executions as (
    select
        case
            when timestamp < {{ utc_now(of_views=true) }} - interval 7 day then 'before'
            else 'shown'
        end as side,
        unnest([null, model_tier]) as model_tier,
        coalesce(_task_text_id::varchar, task_id::varchar) as task,
        success::integer as success,
        actual_cost::double as cost,
        case when actual_cost is not null then success::integer end as paid_success
    from {{ ref('fct_executions') }}
    where
        timestamp >= {{ utc_now(of_views=true) }} - interval 14 day
        and timestamp <= {{ utc_now(of_views=true) }}
),

tasks as (
    select
        side,
        model_tier,
        task,
        count(*) as runs,
        sum(success) as wins,
        sum(cost) as cost,
        sum(paid_success) as successes
    from executions
    group by side, model_tier, task
),

sums as (
    select
        side,
        model_tier,
        sum(runs) as total_executions,
        sum(wins) / sum(runs) as rate,
        {{ squared_error(
            'sum(wins)', 'sum(runs)', 'count(*)', 'sum(wins * wins)', 'sum(wins * runs)',
            'sum(runs * runs)'
        ) }} as rate_error,
        {{ effective_tasks('sum(runs)', 'sum(runs * runs)') }} as effective,
        {{ t_quantile('effective - 1') }} as rate_t,
        sum(cost) / nullif(sum(successes), 0) as cost_per_success,
        {{ squared_error(
            'sum(cost)', 'sum(successes)', 'count(cost)', 'sum(cost * cost)',
            'sum(cost * successes)', 'sum(successes * successes)'
        ) }} as squared_error,
        {{ t_quantile(
            effective_tasks('sum(successes)', 'sum(successes * successes)') ~ ' - 1'
        ) }} as t
    from tasks
    group by side, model_tier
),

sides as (
    select
        *,
        {{ relative_variance('rate', 'rate_error', 'effective') }} as rate_variance,
        {{ rate_bound('rate', 'rate_variance', 'rate_t', '-') }} as rate_lower,
        {{ rate_bound('rate', 'rate_variance', 'rate_t', '+') }} as rate_upper
    from sums
),

expected as (
    select
        shown.model_tier,
        before.total_executions as total_executions_before,
        {{ difference_bound(
            'shown.rate', 'shown.rate_lower', 'before.rate', 'before.rate_upper', '-'
        ) }} as success_rate_change_lower,
        before.cost_per_success as cost_per_success_before,
        shown.cost_per_success - before.cost_per_success - sqrt(
            pow(shown.t, 2) * shown.squared_error + pow(before.t, 2) * before.squared_error
        ) as cost_per_success_change_lower
    from sides as shown
    inner join sides as before
        on shown.model_tier is not distinct from before.model_tier
    where shown.side = 'shown' and before.side = 'before'
),

shown as (
    select
        changes.*,
        choices.choice as model_tier
    from {{ ref('rpt_page_changes') }} as changes
    left join {{ ref('rpt_page_choices') }} as choices
        on choices.column_name = 'model_tier' and changes.model_tier_place = choices.place
    where
        changes.time_range = '7d' and changes.repo_place = 0 and changes.pool_type_place = 0
        and (changes.model_tier_place = 0 or length(choices.choice) < 200)
)

select expected.*
from expected
inner join shown
    on expected.model_tier is not distinct from shown.model_tier
where
    expected.total_executions_before
    <> coalesce(shown.total_executions_before, expected.total_executions_before)
    {% for name in [
        'cost_per_success_before', 'cost_per_success_change_lower', 'success_rate_change_lower'
    ] %}
    or abs(expected.{{ name }} - shown.{{ name }})
    > 1e-6 * greatest(abs(expected.{{ name }}), 0.001)
    or (expected.{{ name }} is null) <> (shown.{{ name }} is null)
    {% endfor %}
