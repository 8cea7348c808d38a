{#- Whether a row is of the CTE changed_blocks. The least load number lets a scan skip the row groups
    before it. -#}
{% macro in_changed_blocks() -%}
    _load_seq >= (select min(bucket) * {{ var('load_block_size') }} from changed_blocks)
    and _load_seq // {{ var('load_block_size') }} in (select bucket from changed_blocks)
{%- endmacro %}


{#- Post-hook of fct_executions: deletes the rows whose version is no longer valid in raw, and whose
    task has no other version to take their place. -#}
{% macro delete_lost_executions() %}
    {%- if is_incremental() %}
    with changed_blocks as (
        {{ changed_buckets(load_blocks(), 'bigint') }}
    )

    delete from {{ this }}
    where
        {{ in_changed_blocks() }}
        and _load_seq not in (
            select _load_seq from {{ ref('stg_executions') }}
            where is_valid and {{ in_changed_blocks() }}
        )
    {%- endif %}
{% endmacro %}
