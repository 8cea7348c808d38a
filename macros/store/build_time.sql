{#- When the last build started, in build_state: views of a lake read it there, instead of being made anew. -#}


{% macro recorded_build_time() -%}
    (select max(bucket)::timestamp from {{ build_state() }} where model = '(build)')
{%- endmacro %}


{#- On-run-start, where models are made. -#}
{% macro record_build_time() -%}
    {%- if flags.WHICH in ('build', 'run') %}
    begin;
    delete from {{ build_state() }} where model = '(build)';
    insert into {{ build_state() }} (model, bucket)
    values ('(build)', '{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}');
    commit
    {%- endif %}
{%- endmacro %}
