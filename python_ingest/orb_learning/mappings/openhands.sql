-- OpenHands' output.jsonl of an evaluation: an instance is an execution.
-- known by: instance_id, test_result, metrics, history
select
    row_number,
    concat_ws('/', file_run, field(record, ['$.instance_id'])) as task_id,
    coalesce(
        time_of(field(record, ['$.history[0].timestamp', '$.history[0][0].timestamp'])),
        time_of(field(record, ['$.metadata.start_time']))
    ) as "timestamp",
    coalesce(field(record, ['$.metadata.dataset']), 'evaluation') as task_type,
    cut(coalesce(field(record, ['$.instance.problem_statement']), field(record, ['$.instruction'])))
        as task_description,
    coalesce(field(record, ['$.instance.repo']), field(record, ['$.instance_id'])) as repo,
    coalesce(field(record, ['$.metadata.agent_class']), 'openhands') as pool_type,
    coalesce(
        try_cast(field(record, ['$.report.resolved', '$.test_result.report.resolved', '$.resolved'])
            as boolean),
        case when field(record, ['$.error']) is not null then false end
    ) as success,
    seconds_between(
        time_of(field(record, ['$.history[0].timestamp', '$.history[0][0].timestamp'])),
        time_of(field(record, ['$.history[-1].timestamp', '$.history[-1][-1].timestamp']))
    ) as duration_seconds,
    number_of(field(record, ['$.metrics.accumulated_cost'])) as actual_cost,
    case
        when field(record, ['$.error']) is not null then regexp_extract(record ->> '$.error', '^[\w ]+')
        when field(record, ['$.report.resolved', '$.test_result.report.resolved', '$.resolved']) = 'false'
            then 'unresolved'
    end as error_type,
    cut(field(record, ['$.error'])) as error_message,
    case
        when field(record, ['$.report.resolved', '$.test_result.report.resolved', '$.resolved']) = 'true'
            then cut(field(record, ['$.test_result.git_patch', '$.git_patch']))
    end as solution_summary,
    known_of(json_object(
        'model', field(record, ['$.metadata.llm_config.model']),
        'instance_id', field(record, ['$.instance_id']),
        'input_tokens', count_of(field(record, ['$.metrics.accumulated_token_usage.prompt_tokens'])),
        'output_tokens', count_of(field(record, ['$.metrics.accumulated_token_usage.completion_tokens']))
    )) as metadata
from (
    select *, field(record, ['$.metadata.eval_output_dir', '$.metadata.start_time']) as file_run
    from source
)
