{#-
  Retention: whole UTC days that are older than the limit go from raw and core into Parquet files,
  one file a day; a day that gets more versions later, gets a further file. People's feedback goes
  with its executions, into files of its own; what is on no execution goes by the day it was given.

    dbt run-operation archive_and_retain --args '{days_to_keep: 90, archive_path: data/archive}'

  days_to_keep: 7 to 365; the setting retention_days if left out.
  archive_path: the folder of the files; it is made where it does not exist.
  dry_run: only count what would go.

  Its last line on standard output is what went, as JSON.

  A day's file is written under another name, compared with the table row by row, and published;
  only then the day is deleted and the file recorded, in one transaction. A file is never written
  over: one that holds nothing but versions that are to go (because a run was killed before it could
  delete, or the day was unarchived) is taken as it is, and what it lacks gets a further one.
-#}
{% macro archive_and_retain(days_to_keep=none, archive_path='data/archive', dry_run=false) %}
    {%- set days_to_keep = env_var('ORB_LEARNING__RETENTION_DAYS', '90') | int if days_to_keep is none else days_to_keep -%}
    {%- if days_to_keep is not integer or days_to_keep is boolean or not 7 <= days_to_keep <= 365 -%}
        {{ exceptions.raise_compiler_error("days_to_keep is " ~ days_to_keep ~ ": it must be a whole number of days from 7 to 365") }}
    {%- endif -%}
    {%- set result = {'archived_count': 0, 'deleted_count': 0, 'days_cleaned': 0, 'feedback_count': 0} -%}
    {%- if not is_built('fct_executions') -%}
        {{ exceptions.raise_compiler_error("nothing has been built yet, so it is not known which executions count: run `dbt build` first") }}
    {%- endif -%}
    {%- do run_query(find_expired_versions(days_to_keep)) -%}
    {%- do run_query(find_expired_feedback(days_to_keep)) -%}
    {%- set expired = run_query(
        "select day, count(*) filter (not is_feedback), count(*) filter (is_feedback) from ("
        ~ "select day, false as is_feedback from expired_versions "
        ~ "union all select day, true as is_feedback from expired_feedback"
        ~ ") group by day order by day"
    ) -%}
    {%- if expired and not dry_run -%}{%- do run_query("select prepare_folder(" ~ sql_text(archive_path) ~ ")") -%}{%- endif -%}
    {%- for day, version_count, feedback_count in expired -%}
        {%- do log(
            day ~ ": " ~ version_count ~ " versions"
            ~ (" and " ~ feedback_count ~ " of people's feedback" if feedback_count) ~ (" would go" if dry_run),
            info=true
        ) -%}
        {%- if not dry_run -%}{%- do archive_day(day, archive_path) -%}{%- endif -%}
        {%- do result.update({
            'archived_count': result.archived_count + version_count,
            'deleted_count': result.deleted_count + version_count,
            'days_cleaned': result.days_cleaned + (1 if version_count else 0),
            'feedback_count': result.feedback_count + feedback_count,
        }) -%}
    {%- endfor -%}
    {#- Also where nothing is old: a run that was killed may have left some. -#}
    {%- if not dry_run and is_built('text_embeddings') -%}
        {%- do run_query(delete_unused_vectors()) -%}
    {%- endif -%}
    {%- do print(tojson(result)) -%}
{% endmacro %}


{#- The versions that are to go, each with its task's day: that of the valid version, where the task
    has one, else of the newest; a version without a time that can be is of the day of its load. -#}
{% macro find_expired_versions(days_to_keep) -%}
    create or replace temp table expired_versions as
    with

    timed_versions as not materialized (
        select
            task_id,
            _load_seq,
            is_valid,
            {{ version_time() }} as moment
        from {{ ref('stg_executions') }}
    ),

    expired_tasks as (
        select
            task_id,
            coalesce(
                arg_max(moment, _load_seq) filter (is_valid), arg_max(moment, _load_seq)
            )::date as day
        from timed_versions
        where task_id in (select task_id from timed_versions where moment < {{ first_kept_day(days_to_keep) }})
        group by task_id
        having day < {{ first_kept_day(days_to_keep) }}
    )

    select
        versions._load_seq,
        task_id,
        expired_tasks.day
    from {{ source('raw', 'executions') }} as versions
    inner join expired_tasks using (task_id)
    where expired_tasks.day not in (select held_day from {{ source('raw', 'held_days') }})
{%- endmacro %}


{#- The feedback that is to go: with its execution, or, where there is none, by the day on which it was
    given, or loaded, where that day cannot be. -#}
{% macro find_expired_feedback(days_to_keep) -%}
    create or replace temp table expired_feedback as
    with

    dated_feedback as (
        select
            task_id,
            _load_seq,
            case
                when isfinite(submitted_at) and submitted_at <= _loaded_at then submitted_at else _loaded_at
            end::date as given_on
        from {{ source('raw', 'feedback') }}
    ),

    tasks as (
        select distinct
            task_id,
            day
        from expired_versions
    )

    select
        _load_seq,
        coalesce(tasks.day, given_on) as day
    from dated_feedback
    left join tasks using (task_id)
    where
        tasks.day is not null
        or (
            given_on < {{ first_kept_day(days_to_keep) }}
            and task_id not in (select task_id from {{ source('raw', 'executions') }})
            and given_on not in (select held_day from {{ source('raw', 'held_days') }})
        )
{%- endmacro %}


{% macro first_kept_day(days_to_keep) -%}
    ({{ utc_now() }}::date - {{ days_to_keep }})
{%- endmacro %}


{#- One day into its files and out of the tables. -#}
{% macro archive_day(day, archive_path) %}
    {%- set archives = [
        {
            'stem': 'executions_archive_' ~ (day | string | replace('-', '')),
            'table': source('raw', 'executions'),
            'files': source('raw', 'archived_files'),
            'count': 'version_count',
            'expired': 'expired_versions',
            'what': 'versions',
        },
        {
            'stem': 'feedback_archive_' ~ (day | string | replace('-', '')),
            'table': source('raw', 'feedback'),
            'files': source('raw', 'archived_feedback_files'),
            'count': 'feedback_count',
            'expired': 'expired_feedback',
            'what': "of people's feedback",
        },
    ] -%}
    {%- for archive in archives -%}
        {%- set of_day = "from " ~ archive.expired ~ " where day = '" ~ day ~ "'" -%}
        {%- set bounds = run_query("select min(_load_seq), max(_load_seq) " ~ of_day).rows[0] -%}
        {#- The bounds spare a scan most row groups. -#}
        {%- do archive.update({'rows': (
            "_load_seq between " ~ bounds[0] ~ " and " ~ bounds[1] ~ " and _load_seq in (select _load_seq " ~ of_day ~ ")"
        ) if bounds[0] is not none else 'false'}) -%}
        {%- do archive.update({'names': archive_rows(day, archive, archive_path)}) -%}
    {%- endfor -%}
    {%- call statement('delete_' ~ archives[0].stem, auto_begin=false) %}
        begin;
        {% for archive in archives %}
        {% for name in archive.names %}
        insert or replace into {{ archive.files }} by name
        select
            {{ sql_text(name) }} as file_name,
            date '{{ day }}' as archived_day,
            (select count(*) from {{ archived_file(archive_path, name) }}) as {{ archive.count }},
            size as size_bytes,
            sha256(content) as file_sha256,
            {{ utc_now() }} as archived_at,
            null as unarchived_at
        from read_blob({{ sql_text(archive_path ~ '/' ~ name) }});
        {% endfor %}
        delete from {{ archive.table }} where {{ archive.rows }};
        {% endfor %}
        {% for relation in [ref('fct_executions'), ref('rejected_executions')] %}
        delete from {{ relation }}
        where task_id in (select task_id from expired_versions where day = '{{ day }}');
        {% endfor %}
        commit
    {%- endcall -%}
{% endmacro %}


{#- The rows of a day into a file, where no file has them yet; returns the names of all their files. -#}
{% macro archive_rows(day, archive, archive_path) %}
    {%- set stem = archive.stem -%}
    {%- set names = [] -%}
    {%- if archive.rows == 'false' -%}{{ return(names) }}{%- endif -%}
    {%- set taken = run_query(
        "select coalesce(parse_filename(file), file_name) as name, file is not null and (file_name is null or unarchived_at is not null) "
        ~ "from glob(" ~ sql_text(archive_path ~ '/' ~ stem ~ '*.parquet') ~ ") "
        ~ "full join (select * from " ~ archive.files ~ " where archived_day = '" ~ day ~ "') "
        ~ "on parse_filename(file) = file_name order by name"
    ) -%}
    {%- set rest = [archive.rows] -%}
    {%- for name, may_be_of_a_run_before in taken if may_be_of_a_run_before -%}
        {%- set file = archived_file(archive_path, name) -%}
        {%- if run_query(rows_that_differ(file, archive.table, archive.rows, 'left')).columns[0].values()[0] == 0 -%}
            {%- do names.append(name) -%}
            {%- do rest.append("_load_seq not in (select _load_seq from " ~ file ~ ")") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set rest = rest | join(' and ') -%}
    {%- set rest_count = run_query(
        "select count(*) from " ~ archive.table ~ " where " ~ rest
    ).columns[0].values()[0] -%}
    {%- if rest_count -%}
        {%- set numbers = [] -%}
        {%- for number in range(1, 100000) if not numbers -%}
            {%- if part_name(stem, number) not in taken.columns[0].values() -%}{%- do numbers.append(number) -%}{%- endif -%}
        {%- endfor -%}
        {%- set name = part_name(stem, numbers[0]) -%}
        {%- set partial = '.' ~ stem ~ '.partial' -%}
        {%- do run_query(
            "copy (select * from " ~ archive.table ~ " where " ~ rest ~ " order by _load_seq) to "
            ~ sql_text(archive_path ~ '/' ~ partial) ~ " (format parquet, compression zstd)"
        ) -%}
        {%- set strange = run_query(
            rows_that_differ(archived_file(archive_path, partial), archive.table, rest, 'full')
        ).columns[0].values()[0] -%}
        {%- if strange -%}
            {{ exceptions.raise_compiler_error(
                archive_path ~ '/' ~ partial ~ ", read back, differs from the table in " ~ strange ~ " of " ~ rest_count
                ~ " " ~ archive.what ~ " of " ~ day ~ "; nothing of this day was deleted. Check the disk and run it again"
            ) }}
        {%- endif -%}
        {%- do run_query("select publish_file(" ~ sql_text(archive_path ~ '/' ~ partial) ~ ", " ~ sql_text(name) ~ ")") -%}
        {%- do names.append(name) -%}
    {%- endif -%}
    {{ return(names) }}
{% endmacro %}


{#- How many rows of a file are not the same in raw; join = full: and the other way round. -#}
{% macro rows_that_differ(file, table, condition, join) -%}
    select count(*) filter (hash(filed) is distinct from hash(stored))
    from (from {{ file }}) as filed
    {{ join }} join (from {{ table }} where {{ condition }}) as stored
        on filed._load_seq = stored._load_seq
{%- endmacro %}


{% macro archived_file(archive_path, name) -%}
    read_parquet({{ sql_text(archive_path ~ '/' ~ name) }})
{%- endmacro %}


{% macro part_name(stem, number) -%}
    {{ stem ~ ('' if number == 1 else '_' ~ number) ~ '.parquet' }}
{%- endmacro %}


{% macro sql_text(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}


{#- Vectors that no execution refers to any more. -#}
{% macro delete_unused_vectors() -%}
    delete from {{ ref('text_embeddings') }}
    where text_id not in (select text_id from {{ ref('int_texts') }})
{%- endmacro %}


{#- Not adapter.get_relation: it opens a transaction, and the statements here have their own. -#}
{% macro is_built(table) %}
    {{ return(run_query(
        "from duckdb_tables() where database_name = " ~ sql_text(target.database) ~ " and schema_name = "
        ~ sql_text(target.schema) ~ " and table_name = " ~ sql_text(table)
    ).rows | length > 0) }}
{% endmacro %}
