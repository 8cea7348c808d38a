{#- Executions of a window of whole buckets that ends now. -#}
{% macro in_window(bucket, days) -%}
    select
        *,
        {{ bucket_of(bucket) }} as {{ bucket_column(bucket) }}
    from {{ ref('fct_executions') }}
    where {{ within_window(bucket, days) }}
{%- endmacro %}


{#- Every bucket of that window, those without executions too. -#}
{% macro buckets_of_window(bucket, days) -%}
    select
        unnest(generate_series(
            {{ window_start(bucket, days) }}, {{ utc_now() }}, interval 1 {{ bucket }}
        )){{ '::date' if bucket == 'day' }} as {{ bucket_column(bucket) }}
{%- endmacro %}
