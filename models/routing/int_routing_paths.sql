-- One row is a block of texts, cell, fold and path that a decision could have taken, with its sums.
--
-- Taken as changed: the blocks of texts whose set of texts and attempts is not the last build's.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_buckets('_text_block', text_blocks(), 'bigint') }}",
    post_hook="{{ record_build_state(text_blocks()) }}",
) }}

with

changed_blocks as (
    {{ changed_buckets(text_blocks(), 'bigint') }}
),

texts as (
    select * from {{ ref('int_routing_texts') }}
    where _text_block in (select bucket from changed_blocks)
)

select
    _text_block,
    repo,
    task_type,
    complexity_band,
    fold,
    unlogged_plan,
    path,
    {% for name in path_sum_columns() + drawn_sum_columns() %}
    sum({{ name }}){{ '::bigint' if name.endswith('_count') }} as {{ name }},
    {% endfor %}
    min(least_chance) as least_chance,
    max(dearest_cost) as dearest_cost,
    any_value(_cell_id) as _cell_id
from texts
group by _text_block, repo, task_type, complexity_band, fold, unlogged_plan, path
