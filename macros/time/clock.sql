{#- The present time as TIMESTAMP in UTC: `as_of` where it is set, else in a table one literal a run,
    so that every bucket of a build has the same window, and in a view the time of the query. -#}
{% macro utc_now(of_views=false) -%}
    {%- set as_of = var('as_of') -%}
    {%- if as_of -%}
        {%- set moment = try_or_compiler_error(
            "as_of is '" ~ as_of ~ "', which is no ISO time such as 2026-03-31 or 2026-03-31T12:30:00Z",
            modules.datetime.datetime.fromisoformat, as_of | string
        ) -%}
        {%- if moment.tzinfo -%}
            {%- set moment = moment.astimezone(modules.pytz.utc) -%}
        {%- endif -%}
        timestamp '{{ moment.strftime("%Y-%m-%d %H:%M:%S.%f") }}'
    {%- elif of_views or model.config.materialized in ('view', 'table_macro') -%}
        (now() at time zone 'UTC')
    {%- else -%}
        timestamp '{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}'
    {%- endif -%}
{%- endmacro %}


{#- The moment at which this build started, in naive UTC: every build makes the views anew that have it. -#}
{% macro built_at() -%}
    {%- if on_lake() and model.config.materialized in ('view', 'table_macro') -%}
        {{ return(recorded_build_time()) }}
    {%- endif -%}
    timestamp '{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}'
{%- endmacro %}


{#- A time of the years 1 to 9999, or NULL: Python and most readers have no other. -#}
{% macro in_years(moment) -%}
    case
        when {{ moment }} between timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'
            then {{ moment }}
    end
{%- endmacro %}
