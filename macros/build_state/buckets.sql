{#- The parts of an incremental model's source (a day, an hour, a block of load numbers), each with a
    fingerprint of its rows. A bucket whose fingerprint is not that of the last build is computed
    whole. (A maximum of _load_seq would not tell of deletions, or of a row that comes back with its
    old number.) -#}


{#- The buckets that are not as the last build had them, one column, `bucket`: changed, new, gone, or
    out of the window; all of them where the model is built anew. -#}
{% macro changed_buckets(source_buckets, bucket_type) -%}
    {%- if is_incremental() -%}
        select coalesce(current_buckets.bucket, previous_buckets.bucket) as bucket
        from ({{ source_buckets }}) as current_buckets
        full join ({{ built_buckets(this, bucket_type) }}) as previous_buckets
            on current_buckets.bucket = previous_buckets.bucket
        where current_buckets.fingerprint is distinct from previous_buckets.fingerprint
    {%- else -%}
        select bucket from ({{ source_buckets }}) as current_buckets
    {%- endif -%}
{%- endmacro %}


{#- Pre-hook: deletes the model's rows of those buckets, in the transaction that appends them anew. -#}
{% macro delete_changed_buckets(column, source_buckets, bucket_type) %}
    {%- if is_incremental() %}
    delete from {{ this }}
    where {{ column }} in ({{ changed_buckets(source_buckets, bucket_type) }})
    {%- endif %}
{% endmacro %}


{#- Count, and exclusive or of the hashes, of the rows' load numbers: the same set of rows, the same
    fingerprint. (A sum of hashes tells the same and takes half as long again.) -#}
{% macro fingerprint(load_seq='_load_seq') -%}
    hash(count(*), bit_xor(hash({{ load_seq }})))
{%- endmacro %}


{#- Days or hours of fct_executions in a window of so many days back from now. Now cuts the last one, so
    that it is another bucket as of another moment, earlier or later. -#}
{% macro execution_buckets(bucket, days) -%}
    select
        {{ bucket_of(bucket) }} as bucket,
        {{ fingerprint() }} as fingerprint
    from {{ ref('fct_executions') }}
    where {{ within_window(bucket, days) }}
    group by bucket
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
