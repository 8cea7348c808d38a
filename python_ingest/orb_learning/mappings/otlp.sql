-- OTLP traces in JSON, a request a line, as the collector's file exporter writes them. These are spans;
-- spans_to_executions.sql makes executions of them.
-- known by: resourceSpans
with scopes as (
    select
        row_number,
        json_extract(resource, '$.resource.attributes') as resource_attributes,
        unnest(elements(json_extract(resource, '$.scopeSpans'))) as scope
    from (select row_number, unnest(elements(json_extract(record, '$.resourceSpans'))) as resource from source)
),

spans as (
    select row_number, resource_attributes, unnest(elements(json_extract(scope, '$.spans'))) as span
    from scopes
),

-- The texts of prompts and the reason of a failure may stand in events.
listed as (
    select
        *,
        row_number() over () as span_number,
        elements(json_extract(span, '$.attributes')) || flatten(list_transform(
            list_filter(
                elements(json_extract(span, '$.events')),
                lambda event: event ->> '$.name' = 'exception' or event ->> '$.name' like 'gen_ai.%details'
            ),
            lambda event: elements(json_extract(event, '$.attributes'))
        )) as attributes,
        list_transform(
            list_filter(
                elements(resource_attributes), lambda one: one ->> '$.key' = 'service.name'
            ),
            lambda one: one ->> '$.value.stringValue'
        )[1] as service_name
    from spans
),

counted as (
    select span_number, place, attribute ->> '$.key' as key, json_extract(attribute, '$.value') as value
    from (
        select span_number, unnest(attributes) as attribute, generate_subscripts(attributes, 1) as place
        from listed
    )
    where counts(attribute ->> '$.key')
    qualify row_number() over (partition by span_number order by place) <= 500
),

-- Of two attributes of a name, the first.
objects as (
    select
        span_number,
        json('{' || string_agg(
            to_json(key)::varchar || ':' || attribute_value(value)::varchar, ',' order by place
        ) || '}') as attributes
    from (
        select *
        from counted
        qualify row_number() over (partition by span_number, key order by place) = 1
    )
    group by span_number
)

select
    row_number,
    try_cast(case when length(span ->> '$.traceId') = 32 then span ->> '$.traceId' end as uuid)
        as trace_id,
    lower(span ->> '$.spanId') as span_id,
    lower(nullif(nullif(span ->> '$.parentSpanId', ''), '0000000000000000')) as parent_span_id,
    left(span ->> '$.name', 1000) as name,
    time_of_ns(span ->> '$.startTimeUnixNano') as started_at,
    time_of_ns(span ->> '$.endTimeUnixNano') as ended_at,
    coalesce(
        try_cast(span ->> '$.status.code' as integer),
        case span ->> '$.status.code' when 'STATUS_CODE_ERROR' then 2 when 'STATUS_CODE_OK' then 1 end,
        0
    ) as status_code,
    cut(span ->> '$.status.message') as status_message,
    left(service_name, 1000) as service_name,
    coalesce(objects.attributes, '{}') as attributes
from listed
left join objects using (span_number)
