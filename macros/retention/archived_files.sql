{#- The names of a day's files, in the folder or recorded, each with whether it may be of a run that was
    killed before it could delete, or of a day that was unarchived. -#}
{% macro known_archive_files(day, archive, archive_path) %}
    {{ return(run_query(
        "select coalesce(found, file_name) as name, found is not null and (file_name is null or unarchived_at is not null) "
        ~ "and may_be_archived(" ~ sql_text(archive_path ~ '/') ~ " || found, (select list(column_name) from (describe from " ~ archive.table ~ "))) "
        ~ "from (select unnest(names_in_archive(" ~ sql_text(archive_path) ~ ", " ~ sql_text(archive.stem) ~ ")) as found) "
        ~ "full join (select * from " ~ archive.files ~ " where archived_day = '" ~ day ~ "') "
        ~ "on found = file_name order by name"
    )) }}
{% endmacro %}


{#- The first name of a day's file that is not taken. -#}
{% macro free_archive_name(stem, taken) %}
    {%- for number in range(1, 100000) -%}
        {%- set name = stem ~ ('' if number == 1 else '_' ~ number) ~ '.parquet' -%}
        {%- if name not in taken -%}{{ return(name) }}{%- endif -%}
    {%- endfor -%}
{% endmacro %}


{#- An archived file as a FROM clause takes it: a name with [, * or ? is no pattern. -#}
{% macro archived_file(archive_path, name) -%}
    {%- set literal_name = name | replace('[', '[[]') | replace('*', '[*]') | replace('?', '[?]') %}
    read_parquet({{ sql_text(archive_path ~ '/' ~ literal_name) }})
{%- endmacro %}


{#- How many rows of a file are not the same in the table; join = full: and the other way round. -#}
{% macro rows_that_differ(file, table, condition, join) -%}
    select count(*) filter (hash(filed) is distinct from hash(stored))
    from (from {{ file }}) as filed
    {{ join }} join (from {{ table }} where {{ condition }}) as stored
        on filed._load_seq = stored._load_seq
{%- endmacro %}
