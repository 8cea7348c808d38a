-- The trials of the sample as executions: one row a trial, in the order of the replay.
-- Variables: file (the CSV), now (of the load, naive UTC), first (load number).
insert into raw.executions by name
with trials as (
    select
        *,
        -- By the digest of its id, a trial's place has nothing to do with its model or task.
        row_number() over (order by md5(trial_id::varchar), trial_id) as place,
        count(*) over () as trial_count,
    from read_csv(
        getvariable('file'),
        header = true,
        delim = ',',
        types = {
            trial_id: 'uuid',
            model: 'varchar',
            provider: 'varchar',
            task: 'varchar',
            difficulty: 'varchar',
            input_tokens: 'bigint',
            output_tokens: 'bigint',
            duration_seconds: 'double',
            success: 'boolean',
            list_price_usd: 'double',
        }
    )
)

select
    trial_id as task_id,
    -- The last trial begins one step before now, the first at its 90 days.
    getvariable('now')
    - to_microseconds((90 * 86400e6 * (trial_count - place + 1) / trial_count)::bigint)
        as "timestamp",
    'benchmark' as task_type,
    task as task_description,
    'terminal-bench' as repo,
    model as model_tier,
    provider as pool_type,
    success,
    duration_seconds::float as duration_seconds,
    list_price_usd::float as actual_cost,
    json_object(
        'model', model,
        'input_tokens', input_tokens,
        'output_tokens', output_tokens,
        'difficulty', difficulty,
        'timestamp_assigned', true,
        'note', 'The source has no times: the trials are replayed over 90 days.'
    ) as metadata,
    getvariable('first') + place - 1 as _load_seq,
    getvariable('now') as _loaded_at,
from trials
order by place;
