{#- CTEs up to `placed_versions`: what became of each version in raw that is no execution. -#}
{% macro placed_versions(versions) -%}
-- Few beside the executions, so that only these are looked up.
other_versions as (
    select
        task_id,
        _load_seq
    from {{ versions }}
    where _load_seq not in (select _load_seq from {{ ref('fct_executions') }})
),

placed_versions as (
    select
        versions._load_seq,
        rejected.broken_rules,
        case
            when rejected._load_seq is not null then 'rejected'
            when standing._load_seq > versions._load_seq then 'superseded'
            else 'waiting_for_build'
        end as stage
    from other_versions as versions
    left join {{ ref('rejected_executions') }} as rejected
        on versions._load_seq = rejected._load_seq
    left join {{ ref('fct_executions') }} as standing
        on versions.task_id = standing.task_id
)
{%- endmacro %}


{#- Records that are no execution by stage and reason; a version has as many as rules it broke. -#}
{% macro stopped_records(placed_versions) -%}
    select
        'refused' as stage,
        reason,
        refused_count as record_count
    from {{ ref('stg_refused_records') }}
    union all
    select
        'dead_letter' as stage,
        {{ kind_of_reason('reason') }} as reason,
        1 as record_count
    from {{ ref('stg_dead_letters') }}
    where kind != 'feedback'
    union all
    select
        'unmatched' as stage,
        null as reason,
        1 as record_count
    from {{ ref('stg_pending_halves') }}
    where recorded_at is null
    union all
    select
        'unreadable' as stage,
        {{ kind_of_reason('reason') }} as reason,
        1 as record_count
    from {{ ref('stg_unreadable_rows') }}
    union all
    select
        stage,
        unnest(broken_rules) as reason,
        1 as record_count
    from {{ placed_versions }}
    where stage = 'rejected'
{%- endmacro %}


{#- A reason without the values that it cites, so that the same one is counted as one. -#}
{% macro kind_of_reason(reason) -%}
    left(regexp_replace(regexp_replace({{ reason }}, '''.*''', '…'), '[0-9][0-9.,]*', '…', 'g'), 200)
{%- endmacro %}
