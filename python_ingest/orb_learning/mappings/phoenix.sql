-- Phoenix's spans, as a data frame or as its client gives them. These are spans; spans_to_executions.sql
-- makes executions of them.
-- known by: "context.trace_id", "context.span_id", start_time or context.trace_id, context.span_id, start_time
select
    row_number,
    try_cast(field(record, ['$."context.trace_id"', '$.context.trace_id', '$.task_id']) as uuid)
        as trace_id,
    field(record, ['$."context.span_id"', '$.context.span_id']) as span_id,
    field(record, ['$.parent_id']) as parent_span_id,
    left(field(record, ['$.name', '$.task_description']), 1000) as name,
    time_of(field(record, ['$.start_time', '$.timestamp'])) as started_at,
    time_of(field(record, ['$.end_time'])) as ended_at,
    case field(record, ['$.status_code', '$.success']) when 'ERROR' then 2 when 'OK' then 1 else 0 end
        as status_code,
    cut(coalesce(
        field(record, ['$.status_message']),
        field(list_filter(
            elements(part(record, ['$.events'])), lambda event: event ->> '$.name' = 'exception'
        )[1], ['$.attributes."exception.message"', '$.attributes.exception.message'])
    )) as status_message,
    field(record, ['$.project_name', '$.repo']) as service_name,
    known_of(json_object(
        'openinference.span.kind', field(record, ['$.span_kind', '$.task_type']),
        'llm.model_name', coalesce(attribute(record, 'llm.model_name'), field(record, ['$.model_tier'])),
        'llm.provider', coalesce(attribute(record, 'llm.provider'), field(record, ['$.pool_type'])),
        'llm.system', attribute(record, 'llm.system'),
        'llm.token_count.prompt', coalesce(
            attribute(record, 'llm.token_count.prompt'), field(record, ['$.estimated_tokens'])
        ),
        'llm.token_count.completion', attribute(record, 'llm.token_count.completion'),
        'llm.token_count.prompt_details.cache_read',
        attribute(record, 'llm.token_count.prompt_details.cache_read'),
        'llm.cost.total', attribute(record, 'llm.cost.total'),
        'llm.input_messages', coalesce(
            part(record, ['$."attributes.llm.input_messages"', '$.attributes."llm.input_messages"',
                '$.attributes.llm.input_messages'])
        ),
        'llm.output_messages', coalesce(
            part(record, ['$."attributes.llm.output_messages"', '$.attributes."llm.output_messages"',
                '$.attributes.llm.output_messages'])
        ),
        'input.value', cut(attribute(record, 'input.value')),
        'output.value', cut(attribute(record, 'output.value')),
        'agent.name', attribute(record, 'agent.name'),
        'session.id', attribute(record, 'session.id'),
        'exception.type', field(list_filter(
            elements(part(record, ['$.events'])), lambda event: event ->> '$.name' = 'exception'
        )[1], ['$.attributes."exception.type"', '$.attributes.exception.type'])
    )) as attributes
from source
