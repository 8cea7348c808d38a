-- One row is a time range and a model tier used in it.
{%- set groups = 'time_range, model_tier, rollup (_model)' %}
with

-- Of a tier, and of each of its models.
figures as (
    select
        time_range,
        model_tier,
        _model,
        grouping(_model) = 0 as is_of_model,
        {{ execution_figures() }}
    from {{ ref('int_executions_by_range') }}
    group by {{ groups }}
),

{{ rates_by_task({
    'time_range': 'time_range', 'model_tier': 'model_tier', '_model': '_model',
    'is_of_model': 'grouping(_model) = 0'
}, grouping=groups) }},

columns_of_rates as (
    select
        time_range,
        model_tier,
        is_of_model,
        {{ figure_columns('rates') }},
        _model is not null and has_enough_samples as is_compared
    from rates
)

select
    * exclude (is_of_model, is_compared),
    count(*) filter (is_compared) over of_tier as model_count,
    min(success_rate) filter (is_compared) over of_tier as lowest_model_rate,
    max(success_rate) filter (is_compared) over of_tier as highest_model_rate,
    coalesce(
        highest_model_rate - lowest_model_rate >= {{ var('mixed_models_from') }}
        and min(success_rate_upper) filter (is_compared) over of_tier
        < max(success_rate_lower) filter (is_compared) over of_tier,
        false
    ) as mixes_models
from columns_of_rates
window of_tier as (partition by time_range, model_tier)
qualify not is_of_model
