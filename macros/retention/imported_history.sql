{#- Of what is to go, the tasks that files brought when they were that old already, and that have never
    left before: whoever imports history wants to look at it first. -#}
{% macro find_imported_history(days_to_keep) -%}
    create or replace temp table imported_history as
    with

    last_archived as (
        select
            archived_day,
            max(archived_at) as archived_at
        from {{ source('raw', 'archived_files') }}
        group by archived_day
    )

    select distinct
        expired.task_id,
        expired.day,
        files.file_name
    from expired_versions as expired
    inner join {{ source('raw', 'executions') }} as versions using (_load_seq)
    inner join {{ source('raw', 'loaded_files') }} as files
        on versions._loaded_at = files.loaded_at
    left join last_archived
        on expired.day = last_archived.archived_day
    where
        expired.day < versions._loaded_at::date - {{ days_to_keep }}
        and versions._loaded_at > coalesce(last_archived.archived_at, '-infinity'::timestamp)
{%- endmacro %}


{#- Takes that history out of what is to go; returns how much it is, and from where. -#}
{% macro keep_imported_history(days_to_keep) %}
    {%- do run_query(find_imported_history(days_to_keep)) -%}
    {%- set row = run_query(
        "select count(*), count(distinct day),"
        ~ " (select array_to_string(list_sort(list(distinct file_name)), chr(10)) from imported_history)"
        ~ " from expired_versions where task_id in (select task_id from imported_history)"
    ).rows[0] -%}
    {%- do run_query("delete from expired_versions where task_id in (select task_id from imported_history)") -%}
    {{ return({
        'kept_count': row[0] | int,
        'kept_days': row[1] | int,
        'kept_files': (row[2] or '').split('\n') if row[0] else [],
    }) }}
{% endmacro %}
