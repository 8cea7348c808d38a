-- How a file's other columns and the import's notes go into a record's metadata.
-- Entries are structs (key, value), the value as JSON text. Objects are joined as texts, because
-- json_merge_patch drops nested nulls and lets one key replace another.

create or replace temp macro import_entries(entries) as nullif(
    array_to_string(
        list_transform(entries, lambda e: to_json(e.key)::varchar || ':' || e.value), ','
    ),
    ''
);

-- The keys of an object; none for anything else.
create or replace temp macro import_keys(own) as coalesce(json_keys(own), []);

-- own: the record's metadata, minified JSON or NULL · extra: the file's other columns
-- notes: what the import has to say · sha256: the file's hash
create or replace temp macro import_joined(own, extra, notes, sha256) as case
    when len(extra) = 0 and len(notes) = 0 and (own is null or starts_with(own, '{'))
        then own
    else (
        '{' || concat_ws(
            ',',
            case when starts_with(own, '{') then nullif((json(own)::varchar)[2:-2], '') end,
            import_entries(
                list_filter(extra, lambda e: not list_contains(import_keys(own), e.key))
            ),
            -- A record that comes back with the note of an earlier import keeps that one, too.
            case when list_contains(import_keys(own), '_import')
                then '"_import_' || left(sha256, 8) || '":' else '"_import":' end
            || nullif(
                '{' || coalesce(import_entries(notes || list_filter([
                    {
                        'key': 'columns',
                        'value': '{' || import_entries(list_filter(
                            extra, lambda e: list_contains(import_keys(own), e.key)
                        )) || '}'
                    },
                    {
                        'key': 'metadata',
                        'value': case when not starts_with(own, '{') then own::varchar end
                    }
                ], lambda e: e.value is not null)), '') || '}',
                '{}'
            )
        ) || '}'
    )::json
end;

create or replace temp macro import_json(value) as case
    when contains(value, 'NaN') or contains(value, 'Infinity') then import_strict(value)::json
    else value
end;

create or replace temp macro import_lower(value) as case
    when lower(value) in ('true', 'false') then lower(value) else value
end;

-- What an object says, as one text a path: the same however keys are sorted and numbers written.
create or replace temp macro import_paths(object) as coalesce((
    select list_sort(list(
        node.fullkey || '='
        || coalesce(try_cast(node.atom ->> '$' as double)::varchar, import_lower(node.atom ->> '$'))
    ))
    from json_tree(object) as node
    where node.type not in ('OBJECT', 'ARRAY', 'NULL') and not starts_with(node.fullkey, '$._import')
        and node.atom is distinct from '""'::json
), []);
