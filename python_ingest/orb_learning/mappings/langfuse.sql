-- Langfuse's traces and observations: a trace, or an observation, is an execution.
-- known by: traceId, startTime, level or trace_id, start_time, level, provided_model_name or data.traceId, data.startTime, data.level or data.id, data.timestamp, data.observations or id, project_id, timestamp, bookmarked or id, timestamp, observations or id, timestamp, sessionId, scores or id, projectId, timestamp, bookmarked
select
    row_number,
    field(record, ['$.id', '$.task_id']) as task_id,
    field(record, ['$.startTime', '$.start_time', '$.timestamp']) as "timestamp",
    field(record, ['$.name', '$.task_type']) as task_type,
    cut(coalesce(
        last_said(part(record, ['$.input']), 'user'), field(record, ['$.task_description'])
    )) as task_description,
    field(record, ['$.projectName', '$.repo', '$.projectId', '$.project_id']) as repo,
    field(record, ['$.environment', '$.pool_type']) as pool_type,
    case
        when field(record, ['$.level', '$.success']) is not null
            then outcome_of(field(record, ['$.level', '$.success']))
        when failed > 0 then false
        when failed = 0 then true
    end as success,
    coalesce(
        number_of(field(record, ['$.latency', '$.duration_seconds'])),
        seconds_between(
            time_of(field(record, ['$.startTime', '$.start_time'])),
            time_of(field(record, ['$.endTime', '$.end_time']))
        )
    ) as duration_seconds,
    field(record, ['$.calculatedTotalCost', '$.totalCost', '$.total_cost',
        '$.costDetails.total', '$.cost_details.total', '$.actual_cost'])
        as actual_cost,
    case
        when coalesce(field(record, ['$.level']) = 'ERROR', false) or failed > 0
            then field(record, ['$.statusMessage', '$.status_message', '$.level'])
    end as error_type,
    cut(field(record, ['$.statusMessage', '$.status_message'])) as error_message,
    case
        when coalesce(field(record, ['$.level']), '') <> 'ERROR' and coalesce(failed, 0) = 0
            then cut(last_said(part(record, ['$.output']), 'assistant'))
    end as solution_summary,
    known_of(json_object(
        'model', field(record, ['$.model', '$.model_tier', '$.providedModelName', '$.provided_model_name']),
        'input_tokens', count_of(field(record, ['$.usage.input', '$.usageDetails.input', '$.usage_details.input',
            '$.inputUsage', '$.promptTokens'])),
        'output_tokens', count_of(field(record, ['$.usage.output', '$.usageDetails.output', '$.usage_details.output',
            '$.outputUsage', '$.completionTokens'])),
        'type', field(record, ['$.type']),
        'trace_id', field(record, ['$.traceId', '$.trace_id']),
        'session_id', field(record, ['$.sessionId', '$.session_id']),
        'user', field(record, ['$.userId', '$.user_id']),
        'release', field(record, ['$.release']),
        'tags', part(record, ['$.tags']),
        'scores', scores_of(part(record, ['$.scores']))
    )) as metadata
from (
    select
        *,
        -- Its observations that failed; unknown where it has their ids alone.
        case
            when json_type(record, '$.observations[0]') = 'OBJECT' then len(list_filter(
                elements(part(record, ['$.observations'])), lambda one: one ->> '$.level' = 'ERROR'
            ))
            else count_of(field(record, ['$.errorCount']))
        end as failed
    from unwrapped_source('$.data')
)
