{#- Puts a query's rows (model, definition_hash, bucket, fingerprint) in the place of a model's in build_state. In a
    lake, only the rows that differ are written: a build with nothing new commits nothing. -#}
{% macro replace_build_state(model_name, query) %}
    {%- set of_model = "model = '" ~ model_name ~ "'" %}
    {%- if not on_lake() %}
    delete from {{ build_state() }} where {{ of_model }};
    insert into {{ build_state() }} (model, definition_hash, bucket, fingerprint)
    {{ query }}
    {%- else %}
    create or replace temp table new_build_state as {{ query }};
    delete from {{ build_state() }} as old
    where {{ of_model }} and not exists (
        select 1 from new_build_state as new
        where
            new.definition_hash is not distinct from old.definition_hash
            and new.bucket is not distinct from old.bucket
            and new.fingerprint is not distinct from old.fingerprint
    );
    insert into {{ build_state() }} (model, definition_hash, bucket, fingerprint)
    select * from new_build_state
    except
    select model, definition_hash, bucket, fingerprint from {{ build_state() }} where {{ of_model }}
    {%- endif %}
{% endmacro %}
