{#- Whole days and hours of executions: buckets of a time, and windows of them. -#}


{#- The bucket that an execution started in. -#}
{% macro bucket_of(bucket) -%}
    {{ 'cast(timestamp as date)' if bucket == 'day' else "date_trunc('hour', timestamp)" }}
{%- endmacro %}


{#- What a column of such buckets is called. -#}
{% macro bucket_column(bucket) -%}
    {{ 'date' if bucket == 'day' else bucket }}
{%- endmacro %}


{#- The start of a window of whole buckets: the bucket that holds the moment `days` before now. -#}
{% macro window_start(bucket, days) -%}
    date_trunc('{{ bucket }}', {{ utc_now() }} - interval {{ days }} day)
{%- endmacro %}


{#- Whether an execution started in the window of whole buckets from `days` before now, until now: what
    starts later is not known yet, whatever the database holds. -#}
{% macro within_window(bucket, days) -%}
    timestamp between {{ window_start(bucket, days) }} and {{ utc_now() }}
{%- endmacro %}


{#- Whether a bucket is over, and was when the figures were built: the last one still fills. -#}
{% macro is_complete(start, length) -%}
    {{ start }} + interval 1 {{ length }} <= least({{ utc_now() }}, {{ built_at() }})
{%- endmacro %}
