-- One row is a time range and a model tier used in it.
with

executions as not materialized (
    select * from {{ ref('int_executions_by_range') }}
),

figures as (
    select
        time_range,
        model_tier,
        {{ execution_figures() }}
    from executions
    group by time_range, model_tier
),

{{ rates_by_task(['time_range', 'model_tier']) }},

models as (
    select
        time_range,
        model_tier,
        count(*) as trials,
        count(*) filter (success) as successes
    from executions
    where _model is not null
    group by time_range, model_tier, _model
    having count(*) >= {{ setting('min_samples_for_learning', '10') }}
),

-- Never empty, because DuckDB 2.0.0 makes wrong sums of a join with nothing (2026-11).
mixtures as (
    select
        time_range,
        model_tier,
        count(*) as model_count,
        min(successes / trials) as lowest_model_rate,
        max(successes / trials) as highest_model_rate,
        highest_model_rate - lowest_model_rate >= {{ var('mixed_models_from') }}
        and min({{ wilson_upper('successes', 'trials') }})
        < max({{ wilson_lower('successes', 'trials') }}) as mixes_models
    from models
    group by time_range, model_tier
    union all
    select {{ (['null'] * 6) | join(', ') }}
)

select
    rates.time_range,
    rates.model_tier,
    {{ figure_columns('rates') }},
    coalesce(mixtures.model_count, 0) as model_count,
    mixtures.lowest_model_rate,
    mixtures.highest_model_rate,
    coalesce(mixtures.mixes_models, false) as mixes_models
from rates
left join mixtures
    on rates.time_range = mixtures.time_range and rates.model_tier = mixtures.model_tier
