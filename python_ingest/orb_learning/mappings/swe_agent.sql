-- SWE-agent's and mini-swe-agent's trajectories: a trajectory is an execution. It has no time of its
-- own in SWE-agent's; then the file's is taken, less the time that its steps took.
-- known by: trajectory, info.exit_status or messages, info.exit_status, info.model_stats or instance_id, traj_id, resolved, messages
with runs as (
    select
        *,
        coalesce(
            field(record, ['$.traj_id']),
            concat_ws('/', field(record, ['$.info.config.environment.timestamp']),
                coalesce(field(record, ['$.instance_id']), regexp_replace(file_name, '\.(traj\.)?(jsonl?|traj).*$', '')))
        ) as run,
        coalesce(field(record, ['$.instance_id']), regexp_replace(file_name, '\.(traj\.)?(jsonl?|traj).*$', ''))
            as instance,
        try_cast(field(record, ['$.resolved', '$.info.resolved']) as boolean) as resolved,
        field(record, ['$.info.exit_status', '$.exit_status']) as ending,
        part(record, ['$.history', '$.messages']) as said,
        list_sum(list_transform(
            elements(json_extract(record, '$.trajectory')),
            lambda step: number_of(step ->> '$.execution_time')
        )) as step_seconds,
        time_of_seconds(field(record, ['$.messages[0].timestamp'])) as began_at,
        time_of_seconds(field(record, ['$.messages[-1].timestamp'])) as ended_at
    from source
)

select
    row_number,
    run as task_id,
    coalesce(
        began_at,
        file_modified_at - to_microseconds(coalesce(try_cast(step_seconds * 1000000 as bigint), 0))
    ) as "timestamp",
    'issue' as task_type,
    cut(coalesce(
        field(record, ['$.problem_statement']),
        list_filter(
            list_transform(
                list_filter(elements(said), lambda message: role_of(message) = 'user'),
                lambda message: text_of(content_of(message))
            ),
            lambda words: words is not null
        )[1]
    )) as task_description,
    regexp_replace(regexp_replace(instance, '-\d+$', ''), '__', '/') as repo,
    'swe-agent' as pool_type,
    coalesce(
        resolved,
        case when lower(ending) not like 'submitted%' then false end
    ) as success,
    coalesce(seconds_between(began_at, ended_at), step_seconds) as duration_seconds,
    number_of(field(record, ['$.info.model_stats.instance_cost', '$.instance_cost'])) as actual_cost,
    case
        when resolved = false then coalesce(nullif(ending, 'submitted'), 'unresolved')
        when lower(ending) not like 'submitted%' then ending
    end as error_type,
    case when resolved = true then cut(field(record, ['$.info.submission', '$.patch'])) end
        as solution_summary,
    known_of(json_object(
        'model', coalesce(
            field(record, ['$.info.config.model.model_name', '$.model']),
            field(part(record, ['$.replay_config']), ['$.agent.model.name'])
        ),
        'instance_id', instance,
        'exit_status', ending,
        'input_tokens', count_of(field(record, ['$.info.model_stats.tokens_sent'])),
        'output_tokens', count_of(field(record, ['$.info.model_stats.tokens_received'])),
        'llm_calls', count_of(field(record, ['$.info.model_stats.api_calls'])),
        'time_from', case when began_at is null then 'file' end
    )) as metadata
from runs
