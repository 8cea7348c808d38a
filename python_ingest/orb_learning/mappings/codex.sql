-- Codex's rollout files: a session is an execution. Its tokens are the last total that it says.
-- needs all records of a file at once
-- known by: type=session_meta, payload.id
with lines as (
    select
        *,
        last_value(
            case when record ->> '$.type' = 'session_meta' then record ->> '$.payload.id' end ignore nulls
        ) over (order by row_number) as session,
        record ->> '$.type' as kind,
        coalesce(record ->> '$.payload.type', '') as event,
        json_extract(record, '$.payload') as payload
    from source
),

sessions as (
    select
        session,
        min(row_number) as row_number,
        min(time_of(record ->> '$.timestamp')) as started_at,
        max(time_of(record ->> '$.timestamp')) as ended_at,
        any_value(payload) filter (kind = 'session_meta') as about,
        arg_max(payload ->> '$.model', row_number) filter (kind = 'turn_context') as model,
        list_sort(list(distinct payload ->> '$.model') filter (kind = 'turn_context')) as models,
        arg_max(json_extract(payload, '$.info.total_token_usage'), row_number) filter (
            event = 'token_count' and json_type(payload, '$.info.total_token_usage') = 'OBJECT'
        ) as usage,
        arg_min(payload ->> '$.message', row_number) filter (event = 'user_message') as asked,
        coalesce(
            arg_max(payload ->> '$.last_agent_message', row_number) filter (
                event = 'task_complete' and payload ->> '$.last_agent_message' is not null
            ),
            arg_max(text_of(json_extract(payload, '$.content')), row_number) filter (
                event = 'message' and payload ->> '$.role' = 'assistant'
            )
        ) as answered,
        arg_max(event, row_number) filter (
            event in ('task_complete', 'turn_complete', 'turn_aborted', 'error', 'stream_error')
        ) as ending,
        arg_max(coalesce(payload ->> '$.message', payload ->> '$.reason'), row_number) filter (
            event in ('turn_aborted', 'error', 'stream_error')
        ) as reason,
        -- What was last of what is asked, said, done and answered: older clients do not write a turn's end.
        arg_max(case when payload ->> '$.role' = 'assistant' then 'agent_message' else event end, row_number) filter (
            event in (
                'user_message', 'agent_message', 'message', 'function_call', 'function_call_output',
                'local_shell_call', 'custom_tool_call', 'custom_tool_call_output'
            )
        ) as last_step,
        max(row_number) filter (event = 'user_message') as asked_last,
        max(row_number) filter (
            event in ('task_complete', 'turn_complete', 'turn_aborted', 'error', 'stream_error')
        ) as ended_last,
        count(*) filter (event in ('function_call', 'local_shell_call', 'custom_tool_call')) as tool_calls
    from lines
    where session is not null
    group by session
),

told as (
    select
        * replace (case
            when last_step = 'agent_message' and coalesce(asked_last > ended_last, ending is null) then last_step
            when asked_last > ended_last then null
            else ending
        end as ending)
    from sessions
),

judged as (
    select
        *,
        case
            when ending in ('task_complete', 'turn_complete', 'agent_message') then true
            when ending is not null then false
        end as success,
        count_of(usage ->> '$.input_tokens') as input_tokens,
        count_of(usage ->> '$.output_tokens') as output_tokens,
        count_of(usage ->> '$.cached_input_tokens') as cached_tokens
    from told
)

select
    row_number,
    session as task_id,
    started_at as "timestamp",
    coalesce(about ->> '$.originator', 'session') as task_type,
    cut(asked) as task_description,
    regexp_extract(about ->> '$.cwd', '([^/\\]+)[/\\]*$', 1) as repo,
    'codex' as pool_type,
    success,
    seconds_between(started_at, ended_at) as duration_seconds,
    case
        when len(models) = 1 and usage is not null
            then price_of(model, input_tokens, output_tokens, cached_tokens)
    end as actual_cost,
    case when not success then ending end as error_type,
    case when not success then cut(reason) end as error_message,
    case when success then cut(answered) end as solution_summary,
    known_of(json_object(
        'model', model,
        'models', case when len(models) > 1 then models end,
        'input_tokens', input_tokens,
        'output_tokens', output_tokens,
        'tool_calls', tool_calls,
        'branch', about ->> '$.git.branch',
        'client_version', about ->> '$.cli_version',
        'outcome_from', ending
    )) as metadata
from judged
