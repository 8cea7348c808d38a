{#- Each stage in order with its kind and its records; `recorded` is summed up by the model. -#}
{% macro funnel_counts(versions, placed_versions, stopped) -%}
    {% for name, kind, count in [
        ('recorded', 'total', '0'),
        ('refused', 'lost', "select sum(record_count) from " ~ stopped ~ " where stage = 'refused'"),
        ('dead_letter', 'lost', "select count(*) from " ~ stopped ~ " where stage = 'dead_letter'"),
        ('unmatched', 'waiting', "select count(*) from " ~ stopped ~ " where stage = 'unmatched'"),
        ('unreadable', 'lost', "select count(*) from " ~ stopped ~ " where stage = 'unreadable'"),
        ('loaded', 'total', "select sum(version_count) from " ~ ref('stg_loaded_counts')),
        ('rejected', 'lost', "select count(*) from " ~ placed_versions ~ " where stage = 'rejected'"),
        ('superseded', 'past', "select count(*) from " ~ placed_versions ~ " where stage = 'superseded'"),
        ('archived', 'past', "select sum(version_count) from " ~ ref('stg_archived_files')
            ~ " where unarchived_at is null"),
        ('erased', 'past', "select sum(version_count) from " ~ ref('stg_forgotten')),
        ('waiting_for_build', 'waiting',
            "select count(*) from " ~ placed_versions ~ " where stage = 'waiting_for_build'"),
        ('executions', 'total', "select (select count(*) from " ~ versions
            ~ ") - (select count(*) from " ~ placed_versions ~ ")")
    ] %}
    {{ 'union all' if not loop.first }}
    select
        {{ loop.index }} as stage_order,
        '{{ name }}' as stage,
        '{{ kind }}' as kind,
        coalesce(({{ count }}), 0)::bigint as record_count,
        {{ loop.index in (2, 3, 4, 5, 6) }} as is_before_loading,
        {{ loop.index > 6 }} as is_after_loading
    {% endfor %}
{%- endmacro %}
