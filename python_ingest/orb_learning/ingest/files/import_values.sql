-- How the texts of a file become values. Placeholders in braces are filled from orb_learning.record.

-- A text column's value: a mark of the unknown is NULL, any other text stays as it is.
create or replace temp macro import_text(value) as case
    -- A pattern, because DuckDB plans an IN with many constants for much longer.
    when regexp_full_match(value, {null_marks}) then null else value
end;

-- The text of any other column's value: without spaces around it, NULL where it says nothing.
create or replace temp macro import_token(value) as
    nullif(import_text(trim(value)), '');

-- A number with a comma for its point, as spreadsheets write it where ; separates the columns.
-- A point may stand between thousands, where another or a comma says that it does.
create or replace temp macro import_decimal(value) as case
    when regexp_full_match(value, '[+-]?[1-9][0-9]{{0,2}}(\.[0-9]{{3}}){{2,}}') then replace(value, '.', '')
    when regexp_full_match(value, '[+-]?([0-9]+|[0-9]{{1,3}}(\.[0-9]{{3}})+),[0-9]+')
        then replace(replace(value, '.', ''), ',', '.')
    else value
end;

-- A time of ISO 8601 without separators, or of an hour alone, with them.
create or replace temp macro import_extended(value) as case
    when regexp_full_match(value, '[0-9]{{8}}(T[0-9]{{2}}.*)?|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}([^:0-9].*)?')
        then regexp_replace(
            regexp_replace(
                regexp_replace(value, '^(\d{{4}})-?(\d\d)-?(\d\d)', '\1-\2-\3'),
                'T(\d\d)(\d\d)(\d\d(?:\.\d+)?)?', case
                    when regexp_matches(value, 'T\d{{6}}') then 'T\1:\2:\3' else 'T\1:\2'
                end
            ),
            'T(\d\d)($|[^:\d])', 'T\1:00\2'
        )
    else value
end;

create or replace temp macro import_finite(value) as case when isfinite(value) then value end;

-- Metadata from a text: JSON, or the text in JSON. An empty text is no value; trim() would cost a copy.
create or replace temp macro import_object(value) as case
    when value <> '' and import_text(value) is not null
        then coalesce(try(json(value)), to_json(value))
end;

create or replace temp macro import_outcome(value) as case
    when regexp_full_match(value, {succeeded}) then true
    when regexp_full_match(value, {failed}) then false
end;

-- The microseconds since 1970 of `number`, a decimal, in a unit: that named, or the one that its
-- size tells. What is finer than a microsecond is cut off.
create or replace temp macro import_microseconds(number, unit) as case
    when unit = 's' or unit = '' and number >= {first} and number < {last}
        then floor(number * 1000000)::hugeint
    when unit = 'ms' or unit = '' and number >= {first}000 and number < {last}000
        then floor(number * 1000)::hugeint
    when unit = 'us' or unit = '' and number >= {first}000000 and number < {last}000000
        then floor(number)::hugeint
    when unit = 'ns' or unit = '' and number >= {first}000000000 and number < {last}000000000
        then floor(number)::hugeint // 1000
end;

create or replace temp macro import_epoch(value) as import_microseconds(
    try_cast(regexp_extract(value, '^[0-9.]+([eE][+]?[0-9]+)?') as decimal(38, 9)),
    regexp_extract(value, '[mun]?s$')
);

-- A time of the years 1 to 9999, or NULL.
create or replace temp macro import_in_years(moment) as case
    when moment between timestamp '{earliest}' and timestamp '{latest}' then moment
end;

create or replace temp macro import_from_microseconds(microseconds) as
    import_in_years(try(make_timestamp(try_cast(microseconds as bigint))));

-- JSON without the numbers that it has none for: NaN and Infinity become texts of that word.
create or replace temp macro import_strict(value) as case
    when contains(value, '{not_a_number}') or contains(value, '{infinity}')
        then array_to_string(
            list_transform(
                regexp_extract_all(value, '"(?:[^"\\]|\\.)*"|[^"]+'),
                lambda part: case
                    when starts_with(part, '"') then part
                    else regexp_replace(
                        part, '-?(?:{not_a_number}|{infinity})', '"\0"', 'g'
                    )
                end
            ), ''
        )
    else value
end;
