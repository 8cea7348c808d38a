-- Claude Code's session logs, and what `claude -p --output-format stream-json` prints: a session is an
-- execution. Its usage counts once a message and request, however many lines repeat it.
-- needs all records of a file at once
-- known by: sessionId, uuid, parentUuid, message or type=result, session_id, num_turns
with lines as (
    select
        *,
        field(record, ['$.sessionId', '$.session_id']) as session,
        record ->> '$.type' as kind,
        field(record, ['$.message.role']) as speaker,
        text_of(content_of(json_extract(record, '$.message'))) as said,
        coalesce(field(record, ['$.message.id']), field(record, ['$.uuid'])) as message_id,
        coalesce(field(record, ['$.requestId']), '') as request_id,
        coalesce(try_cast(record ->> '$.isMeta' as boolean), false) as is_meta
    from source
    where field(record, ['$.sessionId', '$.session_id']) is not null
),

-- Streaming writes a message several times; the last has the most tokens.
calls as (
    select
        session,
        arg_max(record ->> '$.message.model', row_number) as model,
        max(count_of(record ->> '$.message.usage.input_tokens')) as fresh_tokens,
        max(count_of(record ->> '$.message.usage.cache_creation_input_tokens')) as written_tokens,
        max(count_of(record ->> '$.message.usage.cache_read_input_tokens')) as cached_tokens,
        max(count_of(record ->> '$.message.usage.output_tokens')) as output_tokens
    from lines
    -- What the client itself says in a model's place, of an error, is no call.
    where json_exists(record, '$.message.usage') and record ->> '$.message.model' is distinct from '<synthetic>'
    group by session, message_id, request_id
),

priced_calls as (
    select
        *,
        coalesce(fresh_tokens, 0) + coalesce(written_tokens, 0) + coalesce(cached_tokens, 0)
            as input_tokens,
        price_of(
            model,
            coalesce(fresh_tokens, 0) + coalesce(written_tokens, 0) + coalesce(cached_tokens, 0),
            output_tokens,
            cached_tokens,
            tokens_written := written_tokens
        ) as price
    from calls
),

usages as (
    select
        session,
        sum(input_tokens) as input_tokens,
        sum(output_tokens) as output_tokens,
        count(*) as llm_calls,
        case when count(price) = count(*) then sum(price) end as price,
        mode(model order by model) as model,
        list_sort(list(distinct model)) as models
    from priced_calls
    group by session
),

tool_results as (
    select
        session,
        arg_max(coalesce(try_cast(result ->> '$.is_error' as boolean), false), row_number) as failed_last,
        count(*) as tool_calls
    from (
        select session, row_number, unnest(elements(json_extract(record, '$.message.content'))) as result
        from lines
    )
    where result ->> '$.type' = 'tool_result'
    group by session
),

sessions as (
    select
        session,
        min(row_number) as row_number,
        min(time_of(record ->> '$.timestamp')) as started_at,
        max(time_of(record ->> '$.timestamp')) as ended_at,
        arg_min(said, row_number) filter (
            kind = 'user' and speaker = 'user' and not is_meta and said is not null
        ) as asked,
        arg_max(said, row_number) filter (kind = 'assistant' and said is not null) as answered,
        arg_max(record ->> '$.cwd', row_number) as cwd,
        arg_max(record ->> '$.gitBranch', row_number) as branch,
        arg_max(record ->> '$.version', row_number) as version,
        arg_max(field(record, ['$.entrypoint']), row_number) as entrypoint,
        arg_max(record, row_number) filter (kind = 'result') as result,
        -- The last message's: an error that it went on after is none of the session.
        arg_max(coalesce(try_cast(record ->> '$.isApiErrorMessage' as boolean), false), row_number) filter (
            kind = 'assistant'
        ) as is_api_error,
        arg_max(record ->> '$.message.stop_reason', row_number) filter (
            kind = 'assistant' and record ->> '$.message.stop_reason' is not null
        ) as stop_reason
    from lines
    group by session
),

judged as (
    select
        sessions.*,
        tool_results.tool_calls,
        case
            when result is not null then 'result'
            when is_api_error then 'api_error'
            when stop_reason in ('end_turn', 'stop_sequence') then 'stop_reason'
            when tool_results.failed_last is not null then 'tool_result'
        end as outcome_from,
        case
            when result is not null then not coalesce(try_cast(result ->> '$.is_error' as boolean), false)
            when is_api_error then false
            when stop_reason in ('end_turn', 'stop_sequence') then true
            else not tool_results.failed_last
        end as success
    from sessions
    left join tool_results using (session)
)

select
    row_number,
    session as task_id,
    started_at as "timestamp",
    coalesce(entrypoint, 'session') as task_type,
    cut(asked) as task_description,
    regexp_extract(cwd, '([^/\\]+)[/\\]*$', 1) as repo,
    'claude-code' as pool_type,
    success,
    coalesce(number_of(result ->> '$.duration_ms') / 1000, seconds_between(started_at, ended_at))
        as duration_seconds,
    coalesce(number_of(result ->> '$.total_cost_usd'), price) as actual_cost,
    case
        when not success then coalesce(result ->> '$.subtype', outcome_from)
    end as error_type,
    case when not success then cut(coalesce(result ->> '$.result', answered)) end as error_message,
    case when success then cut(coalesce(result ->> '$.result', answered)) end as solution_summary,
    known_of(json_object(
        'model', model,
        'models', case when len(models) > 1 then models end,
        'input_tokens', input_tokens,
        'output_tokens', output_tokens,
        'llm_calls', llm_calls,
        'tool_calls', tool_calls,
        'branch', branch,
        'client_version', version,
        'outcome_from', outcome_from
    )) as metadata
from judged
left join usages using (session)
