{#- The rows of a day into a file, where no file has them yet; returns the names of all their files. -#}
{% macro archive_rows(day, archive, archive_path) %}
    {%- set names = [] -%}
    {%- if archive.rows == 'false' -%}{{ return(names) }}{%- endif -%}
    {%- set known = known_archive_files(day, archive, archive_path) -%}
    {%- set rest = [archive.rows] -%}
    {%- for name, may_be_of_a_run_before in known if may_be_of_a_run_before -%}
        {%- set file = archived_file(archive_path, name) -%}
        {%- if count_of(rows_that_differ(file, archive.table, archive.rows, 'left')) == 0 -%}
            {%- do names.append(name) -%}
            {%- do rest.append("_load_seq not in (select _load_seq from " ~ file ~ ")") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set rest = rest | join(' and ') -%}
    {%- if count_of("select count(*) from " ~ archive.table ~ " where " ~ rest) -%}
        {%- set name = free_archive_name(archive.stem, known.columns[0].values()) -%}
        {%- do write_archive_file(day, archive, archive_path, name, rest) -%}
        {%- do names.append(name) -%}
    {%- endif -%}
    {{ return(names) }}
{% endmacro %}


{#- A file of these rows: written under another name, read back, compared, and published. -#}
{% macro write_archive_file(day, archive, archive_path, name, rows) %}
    {%- set partial = '.' ~ archive.stem ~ '.partial' -%}
    {%- set opened = run_query("select prepare_file(" ~ sql_text(archive_path ~ '/' ~ partial) ~ ")").rows[0][0] -%}
    {%- do run_query(
        "copy (select * from " ~ archive.table ~ " where " ~ rows ~ " order by _load_seq) to "
        ~ sql_text(opened) ~ " (format parquet, compression zstd, use_tmp_file false)"
    ) -%}
    {%- set different = count_of(
        rows_that_differ(archived_file(archive_path, partial), archive.table, rows, 'full')
    ) -%}
    {%- if different -%}
        {{ exceptions.raise_compiler_error(
            archive_path ~ '/' ~ partial ~ ", read back, differs from the table in " ~ different ~ " of "
            ~ count_of("select count(*) from " ~ archive.table ~ " where " ~ rows) ~ " " ~ archive.what ~ " of "
            ~ day ~ "; nothing of this day was deleted. Check the disk and run it again"
        ) }}
    {%- endif -%}
    {%- do run_query("select publish_file(" ~ sql_text(archive_path ~ '/' ~ partial) ~ ", " ~ sql_text(name) ~ ")") -%}
{% endmacro %}
