{#- The first day that stays. -#}
{% macro first_kept_day(days_to_keep) -%}
    ({{ utc_now() }}::date - {{ days_to_keep }})
{%- endmacro %}


{#- The versions that are to go, each with its task's day: that of the valid version, where the task
    has one, else of the newest; a version without a time that can be is of the day of its load. -#}
{% macro find_expired_versions(days_to_keep) -%}
    create or replace temp table expired_versions as
    with

    timed_versions as not materialized (
        select
            task_id,
            _load_seq,
            {{ holds_every_rule('reject') }} as is_valid,
            {{ version_time() }} as moment
        from {{ source('raw', 'executions') }}
    ),

    expired_tasks as (
        select
            task_id,
            coalesce(
                arg_max(moment, _load_seq) filter (is_valid), arg_max(moment, _load_seq)
            )::date as day
        from timed_versions
        where task_id in (select task_id from timed_versions where moment < {{ first_kept_day(days_to_keep) }})
        group by task_id
        having day < {{ first_kept_day(days_to_keep) }}
    )

    select
        versions._load_seq,
        task_id,
        expired_tasks.day
    from {{ source('raw', 'executions') }} as versions
    inner join expired_tasks using (task_id)
    where expired_tasks.day not in (select held_day from {{ source('raw', 'held_days') }})
{%- endmacro %}


{#- The feedback that is to go: with its execution, or, where there is none, by the day on which it was
    given, or loaded, where that day cannot be. -#}
{% macro find_expired_feedback(days_to_keep) -%}
    create or replace temp table expired_feedback as
    with

    dated_feedback as (
        select
            task_id,
            _load_seq,
            case
                when isfinite(submitted_at) and submitted_at <= _loaded_at then submitted_at else _loaded_at
            end::date as given_on
        from {{ source('raw', 'feedback') }}
    ),

    tasks as (
        select distinct
            task_id,
            day
        from expired_versions
    )

    select
        _load_seq,
        coalesce(tasks.day, given_on) as day
    from dated_feedback
    left join tasks using (task_id)
    where
        tasks.day is not null
        or (
            given_on < {{ first_kept_day(days_to_keep) }}
            and task_id not in (select task_id from {{ source('raw', 'executions') }})
            and given_on not in (select held_day from {{ source('raw', 'held_days') }})
        )
{%- endmacro %}
