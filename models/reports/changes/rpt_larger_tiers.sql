-- One row is a task and a model tier on which it hardly succeeds, with a larger tier to start on.
--
-- All pairs of tiers with enough runs of one task are compared; the interval of each is as wide as so
-- many comparisons ask for, and the two may not overlap.
{{ config(materialized='table') }}

with

tiers as (
    select
        *,
        {{ tier_rank('model_tier') }} as tier_rank,
        success_count / execution_count as success_rate,
        total_cost / nullif(cost_known_count, 0) as avg_cost,
        {{ variance_of_mean_cost('total_cost', 'cost_squares', 'cost_known_count') }} as cost_variance
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

bounded as (
    select
        pairs.*,
        confidence.comparison_count,
        {% for tier in ['smaller', 'larger'] %}
        {% for bound, sign in {'lower': '-', 'upper': '+'}.items() %}
        {{ bound_of_runs(tier ~ '.success_count', tier ~ '.execution_count', 'z', sign) }}
            as {{ tier }}_{{ bound }},
        {% endfor %}
        {% endfor %}
        larger.success_rate - smaller.success_rate as success_gain,
        larger.avg_cost - smaller.avg_cost as extra_cost,
        {{ t_quantile('least(smaller.cost_known_count, larger.cost_known_count) - 1') }}
        * sqrt(smaller.cost_variance + larger.cost_variance) as cost_margin
    from pairs
    cross join confidence
),

better as (
    select
        *,
        {{ worth_of('-extra_cost', 'success_gain') }} as worth_a_run,
        {{ difference_bound('larger.success_rate', 'larger_lower', 'smaller.success_rate',
            'smaller_upper', '-') }} as gain_lower,
        {{ difference_bound('larger.success_rate', 'larger_upper', 'smaller.success_rate',
            'smaller_lower', '+') }} as gain_upper
    from bounded
    where larger_lower > smaller_upper and worth_a_run > 0
    qualify
        row_number() over (
            partition by smaller.repo, smaller.text_id, smaller.model_tier
            order by worth_a_run desc, larger.tier_rank
        ) = 1
)

{{ larger_tier_columns() }}
from better
