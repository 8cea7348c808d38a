-- One row is a block of texts and two sums of int_routing_texts, with their product over the texts.
--
-- Of two sums of one text, one row stands for both orders. A text that is in several cells of a
-- repository makes products between these. Those between repositories would be the square of their
-- number: int_routing_shared_products has them in sums.
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
),

sums as (
    select
        _task_text_id,
        _text_block,
        repo,
        _cell_id,
        fold,
        unlogged_plan,
        path,
        {{ amounts(squared_sums()) }}
    from texts
)

select
    one._text_block,
    one.fold,
    one._cell_id,
    one.unlogged_plan,
    one.path,
    one.name,
    other._cell_id as other_cell_id,
    other.unlogged_plan as other_unlogged_plan,
    other.path as other_path,
    other.name as other_name,
    sum(one.amount * other.amount) as product
from sums as one
inner join sums as other
    on
        one._task_text_id = other._task_text_id
        and one.repo = other.repo
        and (one._cell_id, one.unlogged_plan, one.path, one.name)
        <= (other._cell_id, other.unlogged_plan, other.path, other.name)
group by all
