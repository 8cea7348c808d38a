-- One row is an error on a tier, and a change of the retry that mends it more often than none.
--
-- Both are retries of failures on this tier. The changes are a larger tier, a smaller one or
-- another, another model, or another pool. Rates are clustered by task; intervals of as many
-- comparisons as there are may not overlap.
{{ config(materialized=whole_table()) }}

with

attempts as (
    {{ changed_attempts() }}
),

tasks as (
    select
        error_type,
        model_tier,
        change,
        _task_key,
        count(*) as trials,
        count(*) filter (next_success) as successes,
        count(*) filter ({{ is_recent() }}) as recent_count,
        sum(next_cost) as cost,
        count(next_cost) as cost_known_count
    from attempts
    group by error_type, model_tier, change, _task_key
),

changes as (
    select
        error_type,
        model_tier,
        change,
        count(*) as task_count,
        sum(trials)::bigint as attempts,
        sum(successes)::bigint as resolved,
        sum(recent_count)::bigint as recent_count,
        sum(successes) / sum(trials) as rate,
        {{ effective_tasks('sum(trials)', 'sum(pow(trials, 2))') }} as effective_count,
        {{ squared_error(
            'sum(successes)', 'sum(trials)', 'count(*)', 'sum(pow(successes, 2))',
            'sum(successes::double * trials)', 'sum(pow(trials, 2))'
        ) }} as squared_error,
        {{ least_variance_of_tasks('effective_count') }} as least_variance,
        sum(cost) / nullif(sum(cost_known_count), 0) as avg_cost,
        count(cost) as cost_task_count,
        -- Of a mean cost, the error is that of a rate, whose successes are dollars.
        {{ squared_error(
            'sum(cost)', 'sum(cost_known_count)', 'count(cost)', 'sum(pow(cost, 2))',
            'sum(cost * cost_known_count)', 'sum(pow(cost_known_count, 2))'
        ) }} as cost_squared_error
    from tasks
    group by error_type, model_tier, change
    having sum(trials) >= {{ var('change_least_runs') }}
),

pairs as (
    select
        same_again,
        changes as changed
    from changes
    inner join changes as same_again
        on
            changes.error_type = same_again.error_type
            and changes.model_tier = same_again.model_tier
    where changes.change <> 'nothing' and same_again.change = 'nothing'
),

confidence as (
    select {{ quantile_of_comparisons('count(*)') }} as z, count(*) as comparison_count
    from pairs
),

{{ bounded_retries() }}

{{ better_retry_columns() }}
from bounded
where changed_lower > same_again_upper
