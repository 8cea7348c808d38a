{#-
  What an incremental model knows of its last build, in the table build_state: the hash of its
  definition, and the fingerprint of each bucket that it was built from. A model's rows and its state
  commit in one transaction: either both are of the last build or neither.
-#}


{% macro create_build_state() %}
    create table if not exists {{ build_state() }} (
        model varchar not null,
        definition_hash varchar,
        bucket varchar,
        fingerprint ubigint
    );
    {%- if not on_lake() %}
    -- What the table of an older version has; its models are built anew.
    alter table {{ build_state() }} drop column if exists formula;
    alter table {{ build_state() }} add column if not exists definition_hash varchar
    {%- else %}
    {{ record_build_time() }}
    {%- endif %}
{% endmacro %}


{% macro build_state() -%}
    {{ api.Relation.create(database=target.database, schema=target.schema, identifier='build_state') }}
{%- endmacro %}


{#- What a model was built from when it was built last: also the buckets of a model that stands on it. -#}
{% macro built_buckets(model, bucket_type) -%}
    select
        bucket::{{ bucket_type }} as bucket,
        fingerprint
    from {{ build_state() }}
    where model = '{{ model.identifier }}' and bucket is not null
{%- endmacro %}


{#- Post-hook of every incremental model, inside its transaction. -#}
{% macro record_build_state(source_buckets) %}
    {%- set hash = definition_hash() %}
    {%- set rows %}
    select
        '{{ this.identifier }}' as model,
        '{{ hash }}' as definition_hash,
        bucket::varchar as bucket,
        fingerprint
    from ({{ source_buckets }})
    union all
    select '{{ this.identifier }}', '{{ hash }}', null, null
    {%- endset %}
    {{ replace_build_state(this.identifier, rows) }}
{% endmacro %}


{#- dbt's own rule (the config, else --full-refresh), and besides: an incremental model whose definition
    is not that of its last build is built anew. Overrides dbt's macro of the same name. -#}
{% macro should_full_refresh() %}
    {%- set asked = config.get('full_refresh') -%}
    {%- if asked is none -%}{%- set asked = flags.FULL_REFRESH -%}{%- endif -%}
    {%- if asked or not execute or model.config.materialized != 'incremental' or model.language != 'sql' -%}
        {{ return(asked) }}
    {%- endif -%}
    {%- if adapter.get_relation(target.database, target.schema, 'build_state') is none -%}
        {{ return(true) }}
    {%- endif -%}
    {{ return(recorded_definition_hash(this.identifier) != definition_hash()) }}
{% endmacro %}


{#- The hash that a model was built by last; none where it was not. -#}
{% macro recorded_definition_hash(model_name) %}
    {{ return(run_query(
        "select definition_hash from " ~ build_state() ~ " where model = '" ~ model_name ~ "' and bucket is null"
    ).columns[0].values() | first) }}
{% endmacro %}
