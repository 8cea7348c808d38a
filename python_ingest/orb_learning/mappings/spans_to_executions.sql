-- One row is a trace of the relation spans, as an execution: the same whatever order its spans came in.
-- The outermost agent span is the execution, else the root. Its calls of models give tokens and cost.
with recursive one_each as (
    select *
    from spans
    where started_at is not null and span_id is not null
    qualify row_number() over (
        partition by trace_id, span_id
        order by ended_at desc nulls last, status_code desc, hash(name, attributes::varchar)
    ) = 1
),

named as (
    select
        *,
        field(attributes, ['$."gen_ai.operation.name"']) as operation,
        coalesce(
            field(attributes, ['$."gen_ai.response.model"', '$."gen_ai.request.model"', '$."llm.model_name"',
                '$."llm.request.model"']),
            -- OpenInference's: of a call that failed it has no other.
            part(attributes, ['$."llm.invocation_parameters"']) ->> '$.model'
        ) as model,
        upper(field(attributes, ['$."openinference.span.kind"', '$."traceloop.span.kind"'])) as said_kind,
        count_of(field(attributes, ['$."gen_ai.usage.input_tokens"', '$."gen_ai.usage.prompt_tokens"',
            '$."llm.token_count.prompt"', '$."llm.usage.prompt_tokens"'])) as input_tokens,
        count_of(field(attributes, ['$."gen_ai.usage.output_tokens"',
            '$."gen_ai.usage.completion_tokens"', '$."llm.token_count.completion"',
            '$."llm.usage.completion_tokens"'])) as output_tokens,
        count_of(field(attributes, ['$."gen_ai.usage.cache_read.input_tokens"',
            '$."gen_ai.usage.cache_read_input_tokens"', '$."gen_ai.usage.details.cache_read_tokens"',
            '$."llm.token_count.prompt_details.cache_read"'])) as cached_tokens,
        count_of(field(attributes, ['$."gen_ai.usage.cache_creation.input_tokens"',
            '$."gen_ai.usage.cache_creation_input_tokens"',
            '$."gen_ai.usage.details.cache_write_tokens"',
            '$."llm.token_count.prompt_details.cache_write"'])) as written_tokens,
        number_of(field(attributes, ['$."gen_ai.usage.cost"', '$."gen_ai.usage.total_cost"',
            '$."llm.cost.total"', '$."gen_ai.cost.total_cost"', '$."operation.cost"'])) as reported_cost
    from one_each
),

kinds as (
    select
        *,
        case
            when operation in ('invoke_agent', 'create_agent', 'invoke_workflow') then 'AGENT'
            when operation = 'execute_tool' or said_kind = 'TOOL' then 'TOOL'
            when said_kind in ('AGENT', 'WORKFLOW') then 'AGENT'
            when operation in ('chat', 'text_completion', 'generate_content', 'embeddings')
                or said_kind in ('LLM', 'EMBEDDING') then 'LLM'
            when said_kind is null and operation is null
                and (model is not null or json_exists(attributes, '$."llm.request.type"')) then 'LLM'
            else 'OTHER'
        end as kind
    from named
),

roots as (
    select kinds.*
    from kinds
    left join kinds as parent
        on
            kinds.trace_id = parent.trace_id
            and kinds.parent_span_id = parent.span_id
            and kinds.span_id <> parent.span_id
    where parent.span_id is null
),

-- Down from the roots. Spans that name each other as parents have no root, and are not walked.
walked as (
    select trace_id, span_id, kind, true as is_root, false as in_agent, false as in_call, 0 as depth
    from roots
    union all
    select
        kinds.trace_id, kinds.span_id, kinds.kind, false,
        walked.in_agent or walked.kind = 'AGENT',
        walked.in_call or (walked.kind = 'LLM'),
        walked.depth + 1
    from walked
    inner join kinds
        on
            walked.trace_id = kinds.trace_id
            and walked.span_id = kinds.parent_span_id
            and kinds.span_id <> walked.span_id
    where walked.depth < 100
),

placed as (
    select
        kinds.*,
        coalesce(walked.is_root, false) as is_root,
        kinds.kind = 'AGENT' and not coalesce(walked.in_agent, false) as is_outer_agent,
        kinds.kind = 'LLM' and not coalesce(walked.in_call, false) as is_call
    from kinds
    left join walked
        on kinds.trace_id = walked.trace_id and kinds.span_id = walked.span_id
),

priced as (
    select
        *,
        case when is_call then coalesce(
            reported_cost,
            price_of(
                model, input_tokens, output_tokens, cached_tokens, tokens_written := written_tokens
            )
        ) end as cost
    from placed
),

mains as (
    select *
    from (
        select *, sum(is_outer_agent::integer) over (partition by trace_id) as outer_agents
        from priced
    )
    qualify row_number() over (
        partition by trace_id
        order by
            (is_outer_agent and outer_agents = 1) desc, is_root desc, started_at, ended_at desc, span_id
    ) = 1
),

totals as (
    select
        trace_id,
        count(*) as spans,
        count(*) filter (is_call) as llm_calls,
        count(*) filter (is_call and status_code = 2) as llm_errors,
        count(*) filter (kind = 'TOOL') as tool_calls,
        count(*) filter (kind = 'TOOL' and status_code = 2) as tool_errors,
        sum(input_tokens) filter (is_call) as input_tokens,
        sum(output_tokens) filter (is_call) as output_tokens,
        sum(cached_tokens) filter (is_call) as cached_tokens,
        count(*) filter (is_call and (input_tokens is not null or cost is not null)) as used_calls,
        count(cost) filter (is_call and (input_tokens is not null or cost is not null)) as priced_calls,
        sum(cost order by started_at, span_id) as cost,
        count(reported_cost) filter (is_call) as reported_calls,
        mode(model order by model) filter (is_call) as model,
        list_sort(list(distinct model) filter (is_call and model is not null)) as models,
        arg_min(attributes, (started_at, span_id)) filter (is_call) as first_call,
        arg_max(attributes, (started_at, span_id)) filter (is_call) as last_call,
        min(service_name) as service_name
    from priced
    group by trace_id
),

told as (
    select
        mains.*,
        totals.* exclude (trace_id, input_tokens, output_tokens, cached_tokens, cost, model, service_name),
        coalesce(totals.input_tokens, mains.input_tokens) as all_input_tokens,
        coalesce(totals.output_tokens, mains.output_tokens) as all_output_tokens,
        coalesce(totals.cached_tokens, mains.cached_tokens) as all_cached_tokens,
        coalesce(totals.model, mains.model) as main_model,
        coalesce(mains.service_name, totals.service_name) as service,
        case
            when mains.kind <> 'LLM' and mains.reported_cost is not null then mains.reported_cost
            when used_calls > 0 and priced_calls = used_calls then totals.cost
            when used_calls = 0 then price_of(
                mains.model, mains.input_tokens, mains.output_tokens, mains.cached_tokens,
                tokens_written := mains.written_tokens
            )
        end as whole_cost
    from mains
    inner join totals using (trace_id)
)

select
    trace_id as task_id,
    started_at as "timestamp",
    coalesce(
        field(attributes, ['$."gen_ai.agent.name"', '$."agent.name"', '$."gen_ai.workflow.name"']),
        operation, case when said_kind <> 'AGENT' then lower(said_kind) end, name
    ) as task_type,
    cut(coalesce(asked_of(attributes, first_call), name)) as task_description,
    service as repo,
    coalesce(provider_of(last_call), provider_of(attributes), service) as pool_type,
    status_code <> 2 as success,
    seconds_between(started_at, ended_at) as duration_seconds,
    whole_cost as actual_cost,
    case
        when status_code = 2 then coalesce(
            field(attributes, ['$."error.type"', '$."exception.type"']), status_message, 'unknown'
        )
    end as error_type,
    case
        when status_code = 2 then cut(coalesce(
            status_message, field(attributes, ['$."exception.message"'])
        ))
    end as error_message,
    case
        when status_code <> 2 and kind = 'AGENT'
            then cut(answered_of(attributes, last_call))
    end as solution_summary,
    known_of(json_object(
        'model', main_model,
        'models', case when len(models) > 1 then models end,
        'input_tokens', all_input_tokens,
        'output_tokens', all_output_tokens,
        'cached_tokens', all_cached_tokens,
        'cost_from', case
            when whole_cost is null then null
            when reported_cost is not null or reported_calls > 0 then 'reported'
            else 'prices'
        end,
        'llm_calls', llm_calls,
        'llm_errors', nullif(llm_errors, 0),
        'tool_calls', nullif(tool_calls, 0),
        'tool_errors', nullif(tool_errors, 0),
        'spans', spans,
        'operation', operation,
        'session_id', field(attributes, ['$."gen_ai.conversation.id"', '$."session.id"'])
    )) as metadata
from told
