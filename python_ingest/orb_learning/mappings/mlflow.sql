-- MLflow's traces, as search_traces gives them: a trace is an execution.
-- known by: trace_id, request_time, state, execution_duration or trace_id, request_time, state, trace_metadata or info.trace_id, info.request_time, info.state or traces.trace_id, traces.request_time, traces.state
select
    row_number,
    field(record, ['$.trace_id', '$.request_id', '$.info.trace_id', '$.task_id']) as task_id,
    time_of_ms(field(record, ['$.request_time', '$.timestamp_ms', '$.info.request_time', '$.timestamp']))
        as "timestamp",
    coalesce(
        field(said, ['$."mlflow.traceName"']), field(tags, ['$."mlflow.traceName"']),
        field(record, ['$.task_type']), 'trace'
    ) as task_type,
    cut(coalesce(
        last_said(part(record, ['$.request', '$.request_preview', '$.info.request_preview']), 'user'),
        field(record, ['$.task_description'])
    )) as task_description,
    coalesce(
        field(record, ['$.experiment_name', '$.repo']),
        field(record, ['$.trace_location.mlflow_experiment.experiment_id',
            '$.info.trace_location.mlflow_experiment.experiment_id', '$.experiment_id'])
    ) as repo,
    coalesce(field(record, ['$.pool_type']), field(said, ['$."mlflow.source.name"'])) as pool_type,
    outcome_of(replace(replace(
        field(record, ['$.state', '$.status', '$.info.state', '$.success']), 'TraceState.', ''
    ), 'TraceStatus.', '')) as success,
    coalesce(
        number_of(field(record, ['$.execution_duration', '$.execution_time_ms',
            '$.info.execution_duration_ms'])) / 1000,
        number_of(field(record, ['$.duration_seconds']))
    ) as duration_seconds,
    number_of(field(part(said, ['$."mlflow.trace.cost"']), ['$.total_cost'])) as actual_cost,
    field(failure, ['$."exception.type"']) as error_type,
    cut(field(failure, ['$."exception.message"'])) as error_message,
    case
        when coalesce(field(record, ['$.state', '$.status', '$.info.state', '$.success']), '')
            not in ('ERROR', 'TraceState.ERROR')
            then cut(last_said(part(record, ['$.response', '$.response_preview',
                '$.info.response_preview']), 'assistant'))
    end as solution_summary,
    known_of(json_object(
        'model', coalesce(model, field(record, ['$.model_tier'])),
        'input_tokens', count_of(field(usage, ['$.input_tokens'])),
        'output_tokens', count_of(field(usage, ['$.output_tokens'])),
        'session_id', field(said, ['$."mlflow.trace.session"']),
        'user', field(said, ['$."mlflow.trace.user"']),
        'tags', tags,
        'scores', scores_of(to_json(list_transform(
            list_filter(
                elements(part(record, ['$.assessments', '$.info.assessments'])),
                lambda one: part(one, ['$.feedback.value']) is not null
            ),
            lambda one: json_object(
                'name', coalesce(one ->> '$.assessment_name', one ->> '$.name'),
                'value', part(one, ['$.feedback.value'])
            )
        )))
    )) as metadata
from (
    select
        *,
        part(record, ['$.trace_metadata', '$.request_metadata', '$.info.trace_metadata']) as said,
        part(record, ['$.tags', '$.info.tags']) as tags,
        part(
            part(record, ['$.trace_metadata', '$.request_metadata', '$.info.trace_metadata']),
            ['$."mlflow.trace.tokenUsage"']
        ) as usage,
        list_filter(list_transform(
            elements(part(record, ['$.spans', '$.data.spans'])),
            -- MLflow writes each attribute as JSON.
            lambda span: trim(field(part(span, ['$.attributes']), ['$."llm.model_name"',
                '$."mlflow.llm.model"', '$."gen_ai.response.model"', '$."gen_ai.request.model"']), '"')
        ), lambda found: found is not null)[1] as model,
        list_filter(list_transform(
            flatten(list_transform(
                elements(part(record, ['$.spans', '$.data.spans'])),
                lambda span: elements(part(span, ['$.events']))
            )),
            lambda event: case
                when event ->> '$.name' = 'exception' then part(event, ['$.attributes'])
            end
        ), lambda found: found is not null)[1] as failure
    from unwrapped_source('$.traces')
)
