-- Inspect's logs in JSON: a sample and epoch is an execution.
-- known by: eval.run_id, eval.task, samples
with samples as (
    select
        row_number,
        json_extract(record, '$.eval') as about,
        json_extract(record, '$.stats') as stats,
        unnest(elements(json_extract(record, '$.samples'))) as sample
    from source
),

scored as (
    select
        *,
        from_json(json_extract(sample, '$.scores'), '"MAP(VARCHAR, JSON)"') as scores,
        coalesce(
            case when json_type(sample, '$.error') = 'OBJECT' then 'error' end,
            sample ->> '$.limit.type'
        ) as ending
    from samples
),

judged as (
    select
        *,
        map_values(scores)[1] ->> '$.value' as verdict,
        from_json(json_extract(sample, '$.model_usage'), '"MAP(VARCHAR, JSON)"') as usage
    from scored
)

select
    row_number,
    concat_ws('/', about ->> '$.run_id', coalesce(
        sample ->> '$.uuid', concat_ws('/', about ->> '$.task_id', sample ->> '$.id', sample ->> '$.epoch')
    )) as task_id,
    coalesce(
        time_of(field(sample, ['$.started_at', '$.events[0].timestamp'])),
        time_of(stats ->> '$.started_at'), time_of(about ->> '$.created')
    ) as "timestamp",
    about ->> '$.task' as task_type,
    cut(last_said(opened(json_extract(sample, '$.input')), 'user')) as task_description,
    coalesce(about ->> '$.dataset.name', about ->> '$.task') as repo,
    'inspect' as pool_type,
    case
        when ending = 'error' then false
        when verdict in ('C', 'true', '1', '1.0') then true
        when verdict in ('I', 'N', 'P', 'false', '0', '0.0') then false
    end as success,
    number_of(field(sample, ['$.total_time', '$.working_time'])) as duration_seconds,
    case
        when cardinality(usage) = 1 then price_of(
            map_keys(usage)[1],
            count_of(map_values(usage)[1] ->> '$.input_tokens'),
            count_of(map_values(usage)[1] ->> '$.output_tokens'),
            null
        )
    end as actual_cost,
    coalesce(ending, case when verdict in ('I', 'N', 'P', 'false', '0', '0.0') then 'incorrect' end)
        as error_type,
    cut(sample ->> '$.error.message') as error_message,
    case
        when verdict in ('C', 'true', '1', '1.0')
            then cut(coalesce(sample ->> '$.output.completion',
                text_of(json_extract(sample, '$.output.choices[0].message.content'))))
    end as solution_summary,
    known_of(json_object(
        'model', coalesce(sample ->> '$.output.model', about ->> '$.model'),
        'sample_id', sample ->> '$.id',
        'epoch', json_extract(sample, '$.epoch'),
        'input_tokens', list_sum(list_transform(
            map_values(usage), lambda one: count_of(one ->> '$.input_tokens'))),
        'output_tokens', list_sum(list_transform(
            map_values(usage), lambda one: count_of(one ->> '$.output_tokens'))),
        'scores', case when cardinality(scores) > 0 then json('{' || array_to_string(list_transform(
            map_entries(scores),
            lambda entry: to_json(entry.key)::varchar || ':' || coalesce(
                (json_extract(entry.value, '$.value'))::varchar, 'null')
        ), ',') || '}') end
    )) as metadata
from judged
