-- One row is a task and a model tier on which it hardly succeeds, with a larger tier to start on.
--
-- All pairs of tiers with enough runs of one task are compared; the interval of each is as wide as
-- so many comparisons ask for, and the two may not overlap.
{{ config(materialized=whole_table()) }}

with

tiers as (
    select
        *,
        {{ tier_rank('model_tier') }} as tier_rank,
        success_count / execution_count as success_rate,
        total_cost / nullif(cost_known_count, 0) as avg_cost,
        {{ variance_of_mean_cost('total_cost', 'cost_squares', 'cost_known_count') }}
            as cost_variance
    from {{ ref('int_task_tiers') }}
    where execution_count >= {{ var('change_least_runs') }}
),

pairs as (
    select
        tiers as smaller,
        larger
    from tiers
    inner join tiers as larger
        on tiers.repo = larger.repo and tiers.text_id = larger.text_id
    where tiers.tier_rank < larger.tier_rank
),

confidence as (
    select
        {{ quantile_of_comparisons('count(*)') }} as z,
        count(*) as comparison_count
    from pairs
),

{{ better_tiers() }}

{{ larger_tier_columns() }}
from better
