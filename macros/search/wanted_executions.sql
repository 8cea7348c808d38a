{#-
  The executions that a search wants, as far as it looks at them.

  parameters: of each column that may have to have a value, the parameter that says which.
-#}
{% macro wanted_executions(executions, parameters) -%}
{%- set now = 'coalesce(moment::timestamp, ' ~ utc_now() ~ ')' -%}
wanted as not materialized (
    select
        task_id,
        timestamp,
        task_type,
        repo,
        model_tier,
        pool_type,
        success,
        duration_seconds,
        quality_score,
        actual_cost,
        task_description,
        solution_summary,
        _task_text_id,
        _solution_text_id,
        _error_text_id,
        _load_seq
    from {{ executions }}
    where
        {% for column, parameter in parameters.items() -%}
        ({{ parameter }} is null or {{ column }} = {{ parameter }})
        and {% endfor -%}
        timestamp <= {{ now }}
        and (days_back is null or timestamp >= {{ now }} - to_days(days_back::integer))
)
{%- endmacro %}
