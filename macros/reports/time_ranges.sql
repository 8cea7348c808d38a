{#- The time ranges that every report has, and the executions in them. -#}


{#- The ranges that people and agents ask for, with their lengths. -#}
{% macro time_ranges() %}
    {{ return({'1h': '1 hour', '24h': '24 hour', '7d': '7 day', '30d': '30 day', '90d': '90 day'}) }}
{% endmacro %}


{#- Whether an execution started in the time from so long ago to now. -#}
{% macro started_within(length) -%}
    timestamp between {{ utc_now() }} - interval {{ length }} and {{ utc_now() }}
{%- endmacro %}


{#- Executions once for each time range that they started in. Each range is a part of its own, so
    that a filter on time_range leaves the others' parts unread. -#}
{% macro in_time_ranges(executions) -%}
    {% for name, length in time_ranges().items() %}
    select
        '{{ name }}' as time_range,
        *
    from {{ ref(executions) }}
    where {{ started_within(length) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{#- The bucket of a time range that an execution is in: an hour of the short ones, else a day. -#}
{% macro bucket_of_range() -%}
    case
        when time_range in ('1h', '24h') then date_trunc('hour', timestamp)
        else timestamp::date::timestamp
    end
{%- endmacro %}
