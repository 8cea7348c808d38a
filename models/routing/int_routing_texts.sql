-- One row is a task text, cell and path that a decision could have taken there, with its sums.
--
-- The path of the decision itself is empty: there a weight is 1, the outcome the last attempt's.
-- Of decisions without recorded chances, each plan has rows of its own, weighted before its chance.
--
-- Taken as changed: the texts whose set of attempts is not that of their rows here.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_texts() }}",
    post_hook="{{ record_build_state(no_buckets()) }}",
) }}

with

changed_texts as (
    select * from ({{ texts_of_attempts() }}) as texts
    {% if is_incremental() %}
    where _task_text_id not in (select _task_text_id from {{ this }})
    {% endif %}
),

decisions as (
    {{ decision_rows('_task_text_id in (select _task_text_id from changed_texts)') }}
),

{{ decision_path_ctes() }}

select
    _task_text_id,
    repo,
    task_type,
    complexity_band,
    unlogged_plan,
    path,
    (_task_text_id % 5)::tinyint as fold,
    {{ path_sums() }},
    any_value(_text_block) as _text_block,
    any_value(_fingerprint) as _fingerprint,
    {{ cell_id() }} as _cell_id
from decision_paths
inner join changed_texts using (_task_text_id)
group by _task_text_id, repo, task_type, complexity_band, unlogged_plan, path
