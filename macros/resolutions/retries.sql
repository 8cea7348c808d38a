{#- Retries of failed executions: when an attempt is one, and what it did otherwise. -#}


{#- How long after the start of a failed execution another attempt at its task is a retry. -#}
{% macro retry_window() -%}
    interval {{ var('error_resolution_window_hours') }} hour
{%- endmacro %}


{#- Days of int_attempts: an execution that comes, goes or changes its task changes its day. -#}
{% macro attempt_buckets() -%}
    select
        date as bucket,
        {{ fingerprint('_load_seq, _task_key') }} as fingerprint
    from {{ ref('int_attempts') }}
    where timestamp <= {{ utc_now() }}
    group by date
{%- endmacro %}


{#- The changed days, and before each as many as the retry window reaches. -#}
{% macro days_of_affected_retries() -%}
    {%- set reach = (var('error_resolution_window_hours') / 24) | round(0, 'ceil') | int %}
    select distinct changed_days.bucket - days_before::integer as date
    from ({{ changed_buckets(attempt_buckets(), 'date') }}) as changed_days
    cross join range({{ reach + 1 }}) as reach (days_before)
{%- endmacro %}


{#- Pre-hook of int_retries: deletes the days that are computed again. -#}
{% macro delete_affected_retries() %}
    {%- if is_incremental() %}
    delete from {{ this }}
    where date in ({{ days_of_affected_retries() }})
    {%- endif %}
{% endmacro %}


{#- Attempts, of several at a task that began at once one: the nearest in time has to be a single one. -#}
{% macro first_of_a_moment(attempts, condition='true') -%}
    select *
    from {{ attempts }}
    where {{ condition }}
    qualify row_number() over (partition by repo, _task_key, timestamp order by task_id) = 1
{%- endmacro %}


{#- A value of an attempt that began within the retry window of the failure, else NULL. -#}
{% macro if_in_time(attempt, value) -%}
    case
        when {{ attempt }}.timestamp <= failures.timestamp + {{ retry_window() }} then {{ value }}
    end
{%- endmacro %}
