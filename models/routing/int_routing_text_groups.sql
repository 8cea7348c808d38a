-- One row is a block of texts and the cells that a text is in: the number of texts in just these.
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
    select
        any_value(_text_block) as _text_block,
        list_sort(list({ '_cell_id': _cell_id, 'unlogged_plan': unlogged_plan })) as cells
    from {{ ref('int_routing_texts') }}
    where path = '' and _text_block in (select bucket from changed_blocks)
    group by _task_text_id
)

select
    _text_block,
    cells,
    count(*) as task_count
from texts
group by _text_block, cells
