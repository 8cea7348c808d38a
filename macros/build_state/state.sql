{#-
  What an incremental model knows of its last build, in the table build_state: a hash of its formula,
  and for each bucket of its source (a day, an hour, a block of load numbers) a fingerprint of the
  rows that it was built from. A model's rows and its state commit in one transaction: either both
  are of the last build or neither.

  - The formula has changed: the table is built anew, as with --full-refresh.
  - A bucket's fingerprint has changed: the bucket is recomputed whole. (A maximum of _load_seq would
    not tell of deletions, or of a row that comes back with its old number.)
-#}


{% macro create_build_state() %}
    create table if not exists {{ build_state() }} (
        model varchar not null,
        formula varchar not null,
        bucket varchar,
        fingerprint ubigint
    )
{% endmacro %}


{% macro build_state() -%}
    {{ api.Relation.create(database=target.database, schema=target.schema, identifier='build_state') }}
{%- endmacro %}


{#- Count, and exclusive or of the hashes, of the rows' load numbers: the same set of rows, the same
    fingerprint. (A sum of hashes tells the same and takes half as long again.) -#}
{% macro fingerprint(load_seq='_load_seq') -%}
    hash(count(*), bit_xor(hash({{ load_seq }})))
{%- endmacro %}


{#-
  The buckets of the model's source that are not as the last build saw them, one column, `bucket`:
  changed, new, gone, or out of the window; all of them where the model is built anew.
  source_buckets: a query of (bucket, fingerprint) over the source.
  bucket_type: the type of its bucket.
-#}
{% macro changed_buckets(source_buckets, bucket_type) -%}
    {%- if is_incremental() -%}
        select coalesce(present.bucket, seen.bucket) as bucket
        from ({{ source_buckets }}) as present
        full join (
            select
                bucket::{{ bucket_type }} as bucket,
                fingerprint,
            from {{ build_state() }}
            where model = '{{ this.identifier }}' and bucket is not null
        ) as seen
            on present.bucket = seen.bucket
        where present.fingerprint is distinct from seen.fingerprint
    {%- else -%}
        select bucket from ({{ source_buckets }}) as present
    {%- endif -%}
{%- endmacro %}


{#- Blocks of load numbers, by what raw holds of them; with_built_rows: and by what the model itself
    does, so that a row which went from both and came back before a build is seen to be missing. -#}
{% macro load_blocks(with_built_rows=true) -%}
    {%- if with_built_rows -%}
    select
        coalesce(loaded.block, built.block) as bucket,
        hash(loaded.fingerprint, built.fingerprint) as fingerprint
    from {{ ref('stg_load_blocks') }} as loaded
    full join (
        select
            _load_seq // {{ var('load_block_size') }} as block,
            {{ fingerprint() }} as fingerprint
        from {{ this }}
        group by block
    ) as built
        on loaded.block = built.block
    {%- else -%}
    select
        block as bucket,
        fingerprint
    from {{ ref('stg_load_blocks') }}
    {%- endif -%}
{%- endmacro %}


{#- Days or hours of fct_executions in a window of so many days back from now. -#}
{% macro execution_buckets(bucket, days) -%}
    select
        {{ bucket_of(bucket) }} as bucket,
        {{ fingerprint() }} as fingerprint,
    from {{ ref('fct_executions') }}
    where timestamp >= {{ window_start(bucket, days) }}
    group by bucket
{%- endmacro %}


{% macro bucket_of(bucket) -%}
    {{ 'cast(timestamp as date)' if bucket == 'day' else "date_trunc('hour', timestamp)" }}
{%- endmacro %}


{#- What a model was built from when it was built last: the buckets of a model that stands on it. -#}
{% macro built_buckets(model, bucket_type) -%}
    select
        bucket::{{ bucket_type }} as bucket,
        fingerprint,
    from {{ build_state() }}
    where model = '{{ model.identifier }}' and bucket is not null
{%- endmacro %}


{#- Post-hook of every incremental model, inside its transaction. -#}
{% macro remember_build(source_buckets) %}
    {%- set formula = model_formula() %}
    delete from {{ build_state() }} where model = '{{ this.identifier }}';
    insert into {{ build_state() }}
    select '{{ this.identifier }}', '{{ formula }}', bucket::varchar, fingerprint
    from ({{ source_buckets }})
    union all
    select '{{ this.identifier }}', '{{ formula }}', null, null
{% endmacro %}


{#-
  dbt's own rule (the config, else --full-refresh), and besides: an incremental model whose formula
  is not that of its last build is built anew. Overrides dbt's macro of the same name.
-#}
{% macro should_full_refresh() %}
    {%- set asked = config.get('full_refresh') -%}
    {%- if asked is none -%}{%- set asked = flags.FULL_REFRESH -%}{%- endif -%}
    {%- if asked or not execute or model.config.materialized != 'incremental' or model.language != 'sql' -%}
        {{ return(asked) }}
    {%- endif -%}
    {%- set known = adapter.get_relation(target.database, target.schema, 'build_state') -%}
    {%- if known is none -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set formula = run_query(
        "select formula from " ~ known ~ " where model = '" ~ this.identifier ~ "' and bucket is null"
    ).columns[0].values() | first -%}
    {{ return(formula != model_formula()) }}
{% endmacro %}


{#- MD5 over everything that the model's rows depend on but data: its SQL, columns, the project's macros
    that it calls and the policy in variables, as the project has them; the models and seeds behind it
    as the database has them. So whatever is built first after an edit (a mart alone, a model
    before its seed), what was built from the old state is built again when the new one is there. -#}
{% macro model_formula() %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set policy = ['execution_rules', 'load_block_size', 'solution_min_usage', 'error_resolution_window_hours'] -%}
    {%- set parts = [model.raw_code] -%}
    {%- for name in policy -%}{%- do parts.append(name ~ (var(name) | tojson)) -%}{%- endfor -%}
    {%- for column in model.columns.values() -%}
        {%- do parts.append(column.name ~ column.data_type ~ column.constraints) -%}
    {%- endfor -%}
    {%- set seen = [] -%}
    {#- From the graph: it stays as parsed, while model's own list grows by what its SQL calls when it runs. -#}
    {%- set depends_on = graph.nodes[model.unique_id].depends_on -%}
    {%- set waiting = depends_on.nodes + depends_on.macros -%}
    {%- for _ in range(10000) if waiting -%}
        {%- set id = waiting.pop() -%}
        {%- if id not in seen -%}
            {%- do seen.append(id) -%}
            {%- if id.startswith('macro.' ~ project_name ~ '.') -%}
                {%- set macro = context[project_name][id.split('.')[-1]].macro -%}
                {%- do parts.append(macro.macro_sql) -%}
                {%- do waiting.extend(macro.depends_on.macros) -%}
            {%- elif id.startswith('model.') or id.startswith('seed.') -%}
                {%- set node = graph.nodes[id] -%}
                {%- do parts.append(node.name ~ state_in_database(node)) -%}
                {%- if node.config.materialized == 'view' -%}
                    {%- do waiting.extend(node.depends_on.nodes) -%}
                {%- endif -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(local_md5(parts | sort | join('\n'))) }}
{% endmacro %}


{#- Of what definition a model or seed is in the database: a seed's rows, a view's SQL, the formula
    that an incremental model was last built by. -#}
{% macro state_in_database(node) %}
    {%- set relation = api.Relation.create(database=target.database, schema=node.schema, identifier=node.alias) -%}
    {%- if node.resource_type == 'seed' -%}
        {%- if adapter.get_relation(target.database, node.schema, node.alias) is none -%}{{ return('') }}{%- endif -%}
        {%- set query = 'select sum(hash(seed)) from ' ~ relation ~ ' as seed' -%}
    {%- elif node.config.materialized == 'view' -%}
        {%- set query = "select sql from duckdb_views() where database_name = '" ~ target.database
            ~ "' and schema_name = '" ~ node.schema ~ "' and view_name = '" ~ node.alias ~ "'" -%}
    {%- else -%}
        {%- set query = "select formula from " ~ build_state() ~ " where model = '" ~ node.alias ~ "' and bucket is null" -%}
    {%- endif -%}
    {{ return(run_query(query).columns[0].values() | join) }}
{% endmacro %}
