{#- Failures that were attempted again, and what the next attempt changed, whatever its pool. -#}
{% macro changed_attempts() -%}
    select
        coalesce(failures.error_type, 'unknown') as error_type,
        failures.model_tier,
        retries._task_key,
        failures.timestamp,
        retries.next_success,
        next_attempts.actual_cost::double as next_cost,
        case
            when retries.next_change = 'nothing' then 'nothing'
            when retries.next_change = 'pool' then 'another pool'
            when starts_with(retries.next_change, 'model') then 'another model'
            when starts_with(retries.next_change, 'tier up') then 'a larger tier'
            when starts_with(retries.next_change, 'tier down') then 'a smaller tier'
            else 'another tier'
        end as change
    from {{ ref('int_retries') }} as retries
    inner join {{ ref('fct_executions') }} as failures
        on retries.task_id = failures.task_id
    inner join {{ ref('fct_executions') }} as next_attempts
        on retries.next_task_id = next_attempts.task_id
    where failures.{{ within_window('day', var('solution_window_days')) }}
{%- endmacro %}
