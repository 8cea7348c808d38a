{#- Task texts as the units of what is learned: several decisions about one task tell one thing. -#}


{#- The load numbers of the attempts at each decision, with the decision's text and day. -#}
{% macro attempts_of_decisions() -%}
    select
        _task_text_id,
        timestamp::date as date,
        _load_seq
    from {{ ref('int_routing_attempts') }}
    where attempt <= 1
    union all
    select
        first_attempts._task_text_id,
        first_attempts.timestamp::date,
        later_attempts._load_seq
    from {{ ref('int_routing_attempts') }} as later_attempts
    inner join {{ ref('int_routing_attempts') }} as first_attempts
        on later_attempts.decision_id = first_attempts.task_id
    where later_attempts.attempt > 1 and first_attempts.attempt <= 1
{%- endmacro %}


{#- Each text with a fingerprint of the attempts at its decisions, and its first load number's block. -#}
{% macro texts_of_attempts() -%}
    select
        _task_text_id,
        {{ fingerprint() }} as _fingerprint,
        min(_load_seq) // {{ var('routing_text_block_size') }} as _text_block
    from ({{ attempts_of_decisions() }}) as attempts
    group by _task_text_id
{%- endmacro %}


{#- Each day with a fingerprint of the attempts at its decisions. -#}
{% macro decision_days() -%}
    select
        date as bucket,
        {{ fingerprint() }} as fingerprint
    from ({{ attempts_of_decisions() }}) as attempts
    group by date
{%- endmacro %}


{#- Pre-hook of int_routing_texts: deletes the texts that are not as they were. -#}
{% macro delete_changed_texts() %}
    {%- if is_incremental() %}
    delete from {{ this }} as built
    where not exists (
        select 1
        from ({{ texts_of_attempts() }}) as texts
        where texts._task_text_id = built._task_text_id and texts._fingerprint = built._fingerprint
    )
    {%- endif %}
{% endmacro %}


{#- A query of no buckets: the state of a model that keeps the fingerprints in its own rows. -#}
{% macro no_buckets() -%}
    select
        null as bucket,
        null as fingerprint
    where false
{%- endmacro %}


{#- Blocks of texts, each with a fingerprint of what int_routing_texts holds of it. -#}
{% macro text_blocks() -%}
    select
        _text_block as bucket,
        hash(count(*), bit_xor(hash(_task_text_id, _fingerprint))) as fingerprint
    from {{ ref('int_routing_texts') }}
    where path = ''
    group by _text_block
{%- endmacro %}
