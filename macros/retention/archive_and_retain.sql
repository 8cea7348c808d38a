{#-
  Retention: whole UTC days that are older than the limit go from raw and core into Parquet files,
  one file a day; a day that gets more versions later, gets a further file. People's feedback goes
  with its executions, into files of its own; what is on no execution goes by the day it was given.

    dbt run-operation archive_and_retain --args '{days_to_keep: 90, archive_path: data/archive}'

  days_to_keep: 7 to 365; the setting retention_days if left out.
  archive_path: the folder of the files; it is made where it does not exist.
  dry_run: only count what would go; it needs no build.
  take_imported: also what files brought when it was that old already, and never left before.

  Its last line on standard output is what went, as JSON.

  A day's file is written under another name, compared with the table row by row, and published;
  only then the day is deleted and the file recorded, in one transaction. A file is never written
  over: one that holds nothing but versions that are to go (because a run was killed before it could
  delete, or the day was unarchived) is taken as it is, and what it lacks gets a further one.
-#}
{% macro archive_and_retain(days_to_keep=none, archive_path='data/archive', dry_run=false, take_imported=false) %}
    {%- set days_to_keep = env_var('ORB_LEARNING__RETENTION_DAYS', '90') | int if days_to_keep is none else days_to_keep -%}
    {%- if days_to_keep is not integer or days_to_keep is boolean or not 7 <= days_to_keep <= 365 -%}
        {{ exceptions.raise_compiler_error("days_to_keep is " ~ days_to_keep ~ ": it must be a whole number of days from 7 to 365") }}
    {%- endif -%}
    {%- set result = {'archived_count': 0, 'deleted_count': 0, 'days_cleaned': 0, 'feedback_count': 0} -%}
    {%- if not dry_run and not is_built('fct_executions') -%}
        {{ exceptions.raise_compiler_error("nothing has been built yet, so it is not known which executions count: run `dbt build` first") }}
    {%- endif -%}
    {%- do run_query(find_expired_versions(days_to_keep)) -%}
    {%- if not take_imported -%}{%- do result.update(keep_imported_history(days_to_keep)) -%}{%- endif -%}
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
