-- What the mappings share: how to look into a record, whatever format it came in.

create or replace temp table error_types as
select row_number() over () as seed_row, * from read_csv($error_types, header = true, all_varchar = true);

create or replace temp table model_prices as
from read_csv($model_prices, header = true, types = {'model': 'varchar'});

create or replace temp macro cut(words) as left(words, $longest_text);

-- The first of several paths that holds something, as text.
create or replace temp macro field(record, paths) as
    list_filter(json_extract_string(record, paths), lambda found: found is not null and found <> '')[1];

-- A JSON document that was written as a text, opened.
create or replace temp macro opened(value) as list_transform(
    [value],
    lambda one: case
        when json_type(one) = 'VARCHAR' and regexp_matches(one ->> '$', '^\s*[\[{]')
            then coalesce(try_cast(one ->> '$' as json), one)
        else one
    end
)[1];

-- The first of several paths that holds something, as JSON.
create or replace temp macro part(record, paths) as opened(
    list_filter(json_extract(record, paths), lambda found: found is not null and json_type(found) <> 'NULL')[1]
);

-- NULL where it is none, or not finite. Strangers' numbers never end an import.
create or replace temp macro number_of(words) as
    list_filter([try_cast(words as double)], lambda number: isfinite(number))[1];

create or replace temp macro count_of(words) as
    list_filter([try_cast(words as double)], lambda number: number between 0 and 9007199254740992)[1]::bigint;

create or replace temp macro elements(value) as coalesce(
    list_transform(
        [value], lambda one: case when json_type(one) = 'ARRAY' then from_json(one, '["JSON"]') end
    )[1],
    []::json[]
);

-- The relation source, and of an API's answer that was saved, the records in its list.
create or replace temp macro unwrapped_source(path) as table
select
    * replace (unnest(case
        when json_type(record, path) = 'ARRAY' then elements(json_extract(record, path)) else [record]
    end) as record)
from source;

create or replace temp macro time_of(words) as make_timestamp(epoch_us(try_cast(words as timestamptz)));

-- A number is milliseconds since 1970, a text a time that is in UTC unless it says otherwise.
create or replace temp macro time_of_ms(words) as coalesce(
    make_timestamp(try_cast(try_cast(words as bigint)::hugeint * 1000 as bigint)), time_of(words)
);

create or replace temp macro seconds_between(started, ended) as
    (epoch_us(ended) - epoch_us(started)) / 1000000.0;

create or replace temp macro time_of_seconds(words) as
    make_timestamp(try_cast(number_of(words) * 1000000 as bigint));

create or replace temp macro outcome_of(word) as case
    when lower(word) in ('success', 'ok', 'unset', 'default', 'completed', 'true', 'status_code_ok',
        'status_code_unset', 'debug', 'warning') then true
    when lower(word) in ('failure', 'failed', 'error', 'false', 'status_code_error') then false
end;

-- A message's text: its content is a text, or parts that have texts.
create or replace temp macro content_of(message) as coalesce(
    part(message, ['$.content', '$."message.content"', '$.message.content', '$.parts',
        '$."message.contents"', '$.message.contents']),
    'null'
);

create or replace temp macro part_text(value) as list_transform(
    [value],
    lambda one: case
        when json_type(one) = 'VARCHAR' then one ->> '$'
        else field(one, ['$.text', '$.content', '$."message_content.text"', '$.message_content.text'])
    end
)[1];

create or replace temp macro text_of(content) as nullif(trim(list_transform(
    [content],
    lambda whole: case json_type(whole)
        when 'VARCHAR' then whole ->> '$'
        when 'ARRAY' then array_to_string(list_filter(
            list_transform(elements(whole), lambda each: part_text(each)), lambda words: words is not null
        ), chr(10))
        else part_text(whole)
    end
)[1]), '');

create or replace temp macro role_of(message) as
    field(message, ['$.role', '$."message.role"', '$.message.role']);

-- What the messages of a role say, those that have a text.
create or replace temp macro said_by(messages, role) as list_filter(
    list_transform(
        list_filter(elements(messages), lambda message: role_of(message) = role),
        lambda message: text_of(content_of(message))
    ),
    lambda words: words is not null
);

-- What the messages of a role say in a document of messages that was cut, and is no JSON any more.
create or replace temp macro said_in_cut(words, role) as list_transform(
    regexp_extract_all(
        words,
        '"role"\s*:\s*"' || role || '"[^}]*?"(?:content|text)"\s*:\s*"((?:[^"\\]|\\.)+)', 1
    ),
    lambda found: coalesce(try_cast('"' || found || '"' as json) ->> '$', found)
);

-- The last message of a role that has a text; without messages, the document's text.
create or replace temp macro last_said(value, role) as list_transform(
    [value],
    lambda document: case json_type(document)
        when 'VARCHAR' then case
            when regexp_matches(document ->> '$', '^\s*[\[{](?s:.*)"role"\s*:')
                then said_in_cut(document ->> '$', role)[-1]
            else document ->> '$'
        end
        when 'ARRAY' then said_by(document, role)[-1]
        when 'OBJECT' then coalesce(
            said_by(opened(json_extract(document, '$.messages')), role)[-1],
            text_of(content_of(document)),
            field(document, ['$.input', '$.question', '$.query', '$.prompt', '$.text', '$.output',
                '$.answer', '$.result']),
            case
                when not json_exists(document, '$.messages') and document <> '{}' then document::varchar
            end
        )
    end
)[1];

-- An object without what is unknown; null where nothing is left.
create or replace temp macro known_of(object) as
    nullif(json_merge_patch('{}'::json, object), '{}'::json);

-- Scores by name, of a list of {name, value}: of two of a name, the first.
create or replace temp macro named_scores(scores) as nullif(json('{' || array_to_string(list_transform(
    list_filter(
        scores,
        lambda score, place: score ->> '$.name' is not null and place = list_position(
            list_transform(scores, lambda other: other ->> '$.name'), score ->> '$.name'
        )
    ),
    lambda score: to_json(score ->> '$.name')::varchar || ':' || coalesce(
        part(score, ['$.value', '$.stringValue', '$.string_value', '$.feedback.value'])::varchar, 'null'
    )
), ',') || '}'), '{}'::json);

-- Scores as an object by name: from a list, of which the first 100 count, or an object.
create or replace temp macro scores_of(value) as list_transform(
    [value],
    lambda all_scores: case json_type(all_scores)
        when 'OBJECT' then all_scores
        when 'ARRAY' then list_transform(
            [elements(all_scores)[:100]], lambda first_ones: named_scores(first_ones)
        )[1]
    end
)[1];

-- A count of tokens that are among others; none where it is unknown.
create or replace temp macro bounded(tokens, at_most) as coalesce(least(coalesce(tokens, 0), at_most), 0);

-- US dollars of a call's tokens by the list of prices; null for a model that it does not have. Of the
-- tokens in, some may be read from a cache, and some written to one.
create or replace temp macro price_of(
    model_name, tokens_in, tokens_out, tokens_cached, tokens_written := null
) as (
    select min_by(
        input_price * (coalesce(tokens_in, 0) - bounded(tokens_cached, tokens_in)
            - bounded(tokens_written, tokens_in - bounded(tokens_cached, tokens_in)))
        + coalesce(cached_price, input_price) * bounded(tokens_cached, tokens_in)
        + coalesce(written_price, input_price)
            * bounded(tokens_written, tokens_in - bounded(tokens_cached, tokens_in))
        + output_price * coalesce(tokens_out, 0),
        case when prices.model = lower(model_name) then 0 else 1 end
    )
    from model_prices as prices
    where
        coalesce(tokens_in, tokens_out) is not null
        and prices.model in (lower(model_name), regexp_replace(lower(model_name), '^.*/', ''))
);
