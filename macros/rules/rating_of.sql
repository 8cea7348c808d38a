{#- What feedback says in the record's own terms. -#}


{#- A satisfaction as a rating of 1 to 5; NULL where it is none. -#}
{% macro rating_of(satisfaction) -%}
    case {{ satisfaction }}
        {% for name, rating in var('satisfaction_ratings').items() %}
        when '{{ name }}' then {{ rating }}
        {% endfor %}
    end::integer
{%- endmacro %}


{#- CTE `ratings`: what feedback says of tasks, never empty: DuckDB 2.0.0 makes wrong sums of a join
    with nothing (2026-11). -#}
{% macro feedback_ratings() -%}
ratings as (
    select
        task_id,
        user_accepted,
        user_rating
    from {{ ref('int_feedback_ratings') }}
    union all
    select
        null as task_id,
        null as user_accepted,
        null as user_rating
)
{%- endmacro %}


{#- A rating or acceptance: the record's own, else that of feedback, of `executions` and `ratings`. -#}
{% macro rated(column) -%}
    coalesce(executions.{{ column }}, ratings.{{ column }}) as {{ column }}
{%- endmacro %}
