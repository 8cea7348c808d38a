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
    {%- do begin_alone() -%}
    {%- call statement('delete_' ~ archives[0].stem, auto_begin=false) %}
        begin;
        {% for archive in archives %}
        {% for name in archive.names %}
        {% set row %}
        select
            {{ sql_text(name) }} as file_name,
            date '{{ day }}' as archived_day,
            (select count(*) from {{ archived_file(archive_path, name) }}) as {{ archive.count }},
            size as size_bytes,
            sha256(content) as file_sha256,
            {{ utc_now() }} as archived_at,
            null as unarchived_at
        from read_blob({{ sql_text(archive_path ~ '/' ~ name) }})
        {% endset %}
        {{ replace_row(archive.files, 'file_name', sql_text(name), row) }}
        {% endfor %}
        delete from {{ archive.table }} where {{ archive.rows }};
        {% endfor %}
        {% for relation in [ref('fct_executions'), ref('rejected_executions')] %}
        delete from {{ relation }}
        where task_id in (select task_id from expired_versions where day = '{{ day }}');
        {% endfor %}
        commit
    {%- endcall -%}
    {%- do end_alone() -%}
{% endmacro %}
