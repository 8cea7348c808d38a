{#- Retries of failed executions: when an attempt is one, and what it did otherwise. -#}


{#- Days of int_attempts: an execution that comes, goes or changes its task changes its day. -#}
{% macro attempt_buckets() -%}
    select
        date as bucket,
        {{ fingerprint('_load_seq, _task_key') }} as fingerprint
    from {{ ref('int_attempts') }}
    group by date
{%- endmacro %}


{#- What an attempt changed against a failed one: nothing, tier, pool, or tier and pool. -#}
{% macro change_between(failed, attempt) -%}
    case
        when {{ attempt }}.task_id is null then null
        when {{ attempt }}.model_tier != {{ failed }}.model_tier
            and {{ attempt }}.pool_type != {{ failed }}.pool_type then 'tier and pool'
        when {{ attempt }}.model_tier != {{ failed }}.model_tier then 'tier'
        when {{ attempt }}.pool_type != {{ failed }}.pool_type then 'pool'
        else 'nothing'
    end
{%- endmacro %}
