-- LiteLLM's SpendLogs: a request is an execution.
-- known by: request_id, call_type, spend, startTime or data.request_id, data.call_type, data.spend
select
    row_number,
    field(record, ['$.request_id', '$.task_id']) as task_id,
    field(record, ['$.startTime', '$.timestamp']) as "timestamp",
    field(record, ['$.call_type', '$.task_type']) as task_type,
    cut(coalesce(
        last_said(part(record, ['$.messages', '$.task_description']), 'user'),
        last_said(part(record, ['$.proxy_server_request.messages']), 'user')
    )) as task_description,
    -- As orb_learning.litellm_logger has it, so that a log's version of a call says the same.
    coalesce(
        field(record, ['$.team_alias']), field(said, ['$.user_api_key_team_alias']),
        field(record, ['$.team_id', '$.repo'])
    ) as repo,
    field(record, ['$.custom_llm_provider', '$.pool_type']) as pool_type,
    outcome_of(coalesce(field(record, ['$.status', '$.success']), said ->> '$.status')) as success,
    coalesce(
        seconds_between(
            time_of(field(record, ['$.startTime', '$.timestamp'])), time_of(field(record, ['$.endTime']))
        ),
        number_of(field(record, ['$.request_duration_ms'])) / 1000
    ) as duration_seconds,
    field(record, ['$.spend', '$.actual_cost']) as actual_cost,
    coalesce(said ->> '$.error_information.error_class', said ->> '$.error_information.error_code')
        as error_type,
    cut(said ->> '$.error_information.error_message') as error_message,
    known_of(json_object(
        'model', field(record, ['$.model', '$.model_tier']),
        'model_group', field(record, ['$.model_group']),
        'input_tokens', count_of(field(record, ['$.prompt_tokens'])),
        'output_tokens', count_of(field(record, ['$.completion_tokens'])),
        'cache_hit', try_cast(field(record, ['$.cache_hit']) as boolean),
        'tags', part(record, ['$.request_tags']),
        'user', field(record, ['$.end_user', '$.user']),
        'session_id', field(record, ['$.session_id']),
        'retries', json_extract(said, '$.attempted_retries'),
        'fallbacks', json_extract(said, '$.attempted_fallbacks'),
        'error_code', said ->> '$.error_information.error_code'
    )) as metadata
from (select *, part(record, ['$.metadata']) as said from unwrapped_source('$.data'))
