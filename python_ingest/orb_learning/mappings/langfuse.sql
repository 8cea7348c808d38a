-- Langfuse's traces and observations: a trace, or an observation, is an execution.
-- known by: traceId, startTime, level or id, timestamp, observations or id, timestamp, sessionId, scores or id, projectId, timestamp, bookmarked
select
    row_number,
    field(record, ['$.id', '$.task_id']) as task_id,
    field(record, ['$.startTime', '$.timestamp']) as "timestamp",
    field(record, ['$.name', '$.task_type']) as task_type,
    cut(coalesce(
        last_said(part(record, ['$.input']), 'user'), field(record, ['$.task_description'])
    )) as task_description,
    field(record, ['$.projectName', '$.repo', '$.projectId']) as repo,
    field(record, ['$.environment', '$.pool_type']) as pool_type,
    case
        when field(record, ['$.level', '$.success']) is not null
            then outcome_of(field(record, ['$.level', '$.success']))
        when failed > 0 then false
        when json_type(record, '$.observations[0]') = 'OBJECT' then true
    end as success,
    coalesce(
        number_of(field(record, ['$.latency', '$.duration_seconds'])),
        seconds_between(time_of(field(record, ['$.startTime'])), time_of(field(record, ['$.endTime'])))
    ) as duration_seconds,
    field(record, ['$.calculatedTotalCost', '$.totalCost', '$.costDetails.total', '$.actual_cost'])
        as actual_cost,
    case
        when field(record, ['$.level']) = 'ERROR' or failed > 0
            then field(record, ['$.statusMessage', '$.level'])
    end as error_type,
    cut(field(record, ['$.statusMessage'])) as error_message,
    case
        when coalesce(field(record, ['$.level']), '') <> 'ERROR' and failed = 0
            then cut(last_said(part(record, ['$.output']), 'assistant'))
    end as solution_summary,
    known_of(json_object(
        'model', field(record, ['$.model', '$.model_tier', '$.providedModelName']),
        'input_tokens', count_of(field(record, ['$.usage.input', '$.usageDetails.input',
            '$.inputUsage', '$.promptTokens'])),
        'output_tokens', count_of(field(record, ['$.usage.output', '$.usageDetails.output',
            '$.outputUsage', '$.completionTokens'])),
        'type', field(record, ['$.type']),
        'trace_id', field(record, ['$.traceId']),
        'session_id', field(record, ['$.sessionId']),
        'user', field(record, ['$.userId']),
        'release', field(record, ['$.release']),
        'tags', part(record, ['$.tags']),
        'scores', scores_of(part(record, ['$.scores']))
    )) as metadata
from (
    select
        *,
        len(list_filter(
            elements(part(record, ['$.observations'])), lambda one: one ->> '$.level' = 'ERROR'
        )) as failed
    from source
)
