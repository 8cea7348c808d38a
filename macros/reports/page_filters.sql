{#- What the page's figures have in common: for every choice of its filters they are worked out
    here, not in the browser, so that percentiles and intervals are exact under a filter, too. -#}


{#- The columns that the page filters by, and the task type, each with how many of its values have
    a place of their own: those with the most executions of the last 90 days, from place 1 on. The
    others share the next place, so that the page stays small. -#}
{% macro page_places() %}
    {{ return({'repo': 12, 'model_tier': 5, 'pool_type': 6, 'task_type': 15}) }}
{% endmacro %}


{#- The values of a column that have a place of their own. -#}
{% macro page_choices(column) -%}
    select
        {{ column }} as choice,
        row_number() over (order by count(*) desc, {{ column }} asc) as place,
        count(*) as total_executions
    from {{ ref('fct_executions') }}
    where {{ started_within('90 day') }}
    group by {{ column }}
    qualify row_number() over (order by count(*) desc, {{ column }} asc) <= {{ page_places()[column] }}
{%- endmacro %}


{#- Executions once for each time range, with the places of their values. The choices stand in each
    range's part, so that a filter on time_range leaves the others' parts unread. -#}
{% macro page_executions(columns=('repo', 'model_tier', 'pool_type')) -%}
    {% for time_range, length in time_ranges().items() %}
    select
        '{{ time_range }}' as time_range,
        executions.*,
        {{ place_columns(columns) }}
    from {{ ref('fct_executions') }} as executions
    {{ join_places(columns) }}
    where executions.{{ started_within(length) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{% macro place_columns(columns) -%}
    {% for column in columns %}
    coalesce({{ column }}_choices.place, {{ page_places()[column] + 1 }}) as {{ column }}_place
    {{- ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{% macro join_places(columns) -%}
    {% for column in columns %}
    left join ({{ page_choices(column) }}) as {{ column }}_choices
        on executions.{{ column }} = {{ column }}_choices.choice
    {% endfor %}
{%- endmacro %}


{#- Groups for every choice of every filter together; no choice is NULL. -#}
{% macro every_choice() -%}
    cube (repo_place, model_tier_place, pool_type_place)
{%- endmacro %}


{#- The columns of those groups; place 0 is no choice. -#}
{% macro choice_columns(of) -%}
    coalesce({{ of }}.repo_place, 0) as repo_place,
    coalesce({{ of }}.model_tier_place, 0) as model_tier_place,
    coalesce({{ of }}.pool_type_place, 0) as pool_type_place
{%- endmacro %}
