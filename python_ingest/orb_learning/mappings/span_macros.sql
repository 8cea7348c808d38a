-- What the mappings of spans share. The names of three conventions are one list: OpenTelemetry's GenAI,
-- in its present and its older form, OpenLLMetry's llm.*, and OpenInference's.

create or replace temp macro time_of_ns(words) as make_timestamp(try_cast(words as bigint) // 1000);

create or replace temp macro scalar_of(value) as coalesce(
    case when json_type(value, '$.stringValue') = 'VARCHAR' then to_json(cut(value ->> '$.stringValue')) end,
    to_json(try_cast(value ->> '$.intValue' as bigint)),
    json_extract(value, '$.doubleValue'),
    json_extract(value, '$.boolValue'),
    -- A long one as its text, which can be cut.
    case
        when length(json_extract(value, '$.kvlistValue')::varchar) > $longest_text
            then to_json(cut(json_extract(value, '$.kvlistValue')::varchar))
        else json_extract(value, '$.kvlistValue')
    end
);

create or replace temp macro attribute_value(value) as coalesce(
    scalar_of(value),
    case
        when json_type(value, '$.arrayValue') = 'OBJECT'
            then to_json(list_transform(
                elements(json_extract(value, '$.arrayValue.values'))[:100], lambda one: scalar_of(one)
            ))
    end,
    'null'
);

create or replace temp macro counts(key) as split_part(key, '.', 1) in ($counted);

-- An attribute by its name, where its dots part names, or do not.
create or replace temp macro attribute(record, name) as coalesce(
    nullif(record ->> ('$."attributes.' || name || '"'), ''),
    nullif(record ->> ('$.attributes."' || name || '"'), ''),
    nullif(record ->> ('$.attributes.' || name), '')
);

-- The first of several paths, numbered by message, that holds something.
create or replace temp macro indexed(attributes, paths, place) as list_filter(
    list_transform(
        paths, lambda path: json_extract_string(attributes, replace(path, '{}', place::varchar))
    ),
    lambda words: words is not null
)[1];

-- What was said last by a role, in attributes that are numbered by message.
create or replace temp macro indexed_said(attributes, role, role_paths, content_paths) as list_filter(
    list_transform(
        range(0, 100),
        lambda place: case
            when indexed(attributes, role_paths, place) = role
                then indexed(attributes, content_paths, place)
        end
    ),
    lambda words: words is not null
)[-1];

create or replace temp macro asked_in(attributes) as part(attributes, ['$."gen_ai.input.messages"',
    '$."llm.input_messages"', '$."pydantic_ai.all_messages"', '$."traceloop.entity.input"',
    '$."input.value"']);

create or replace temp macro asked_of(attributes, call) as coalesce(
    last_said(coalesce(asked_in(attributes), asked_in(call)), 'user'),
    indexed_said(coalesce(call, attributes), 'user',
        ['$."gen_ai.prompt.{}.role"', '$."llm.input_messages.{}.message.role"'],
        ['$."gen_ai.prompt.{}.content"', '$."llm.input_messages.{}.message.content"'])
);

create or replace temp macro answered_in(attributes) as part(attributes, ['$."gen_ai.output.messages"',
    '$.final_result', '$."llm.output_messages"', '$."pydantic_ai.all_messages"',
    '$."traceloop.entity.output"', '$."output.value"']);

create or replace temp macro answered_of(attributes, call) as coalesce(
    last_said(coalesce(answered_in(attributes), answered_in(call)), 'assistant'),
    indexed_said(coalesce(call, attributes), 'assistant',
        ['$."gen_ai.completion.{}.role"', '$."llm.output_messages.{}.message.role"'],
        ['$."gen_ai.completion.{}.content"', '$."llm.output_messages.{}.message.content"'])
);

create or replace temp macro provider_of(attributes) as field(attributes, ['$."gen_ai.provider.name"',
    '$."gen_ai.system"', '$."llm.provider"', '$."llm.system"']);
