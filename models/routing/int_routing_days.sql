-- One row is a day, repository and path that decisions took: what weighted attempts came to on it.
--
-- Taken as changed: the days whose set of attempts at decisions is not that of the last build. A
-- decision is of the day of its first attempt, whenever the later ones come.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_buckets('date', decision_days(), 'date') }}",
    post_hook="{{ record_build_state(decision_days()) }}",
) }}

with

changed_days as (
    {{ changed_buckets(decision_days(), 'date') }}
),

decisions as (
    {{ decision_rows('timestamp::date in (select bucket from changed_days)') }}
),

{{ decision_path_ctes() }}

select
    timestamp::date as date,
    repo,
    path,
    count(*) as run_count,
    sum(1 / chance) as weight,
    coalesce(sum(1 / chance) filter (success), 0) as success_weight,
    sum(pow(1 / chance, 2)) as squared_weight,
    coalesce(sum(pow(1 / chance, 2)) filter (success), 0) as success_squared_weight,
    coalesce(sum(1 / chance) filter (is_known), 0) as known_weight,
    coalesce(sum(capped_cost / chance) filter (is_known), 0) as capped_cost_weight
from decision_paths
where path <> '' and is_run
group by timestamp::date, repo, path
