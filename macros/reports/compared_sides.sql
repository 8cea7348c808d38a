{#- CTEs up to `compared`: of the CTE `cells`, the rates of each pair, plain and like for like, and
    how far these are known. -#}
{% macro compared_sides() -%}
deviations as (
    select
        *,
        {% for side, other in {'': 'other_', 'other_': ''}.items() %}
        {{ side }}trials - {{ side }}repeated_trials + case
            when
                row_number() over (
                    kind order by {{ other }}trials > 0 desc, {{ side }}repeated_tasks desc
                ) = 1
                then {{ side }}repeated_tasks
            else 0
        end as {{ side }}most_tasks,
        {% endfor %}
        {{ stratum_deviations('', 'other_', 'kind') }},
        {{ stratum_deviations('other_', '', 'kind') }}
    from cells
    window kind as (partition by time_range, dimension, name, other_name, task_type)
),

compared as (
    select
        time_range,
        dimension,
        name,
        other_name,
        any_value(total_executions) as total_executions,
        any_value(success_rate) as success_rate,
        any_value(other_executions) as other_executions,
        any_value(other_success_rate) as other_success_rate,
        {{ mix_difference('trials / total_executions', 'other_trials / other_executions') }}
            as mix_difference,
        {{ like_for_like_rate('successes', 'trials', 'other_trials') }} as like_for_like_rate,
        {{ like_for_like_rate('other_successes', 'other_trials', 'trials') }}
            as other_like_for_like_rate,
        {{ like_for_like_spread('', 'other_') }} as spread,
        {{ like_for_like_spread('other_', '') }} as other_spread,
        coalesce(sum(trials) filter (other_trials > 0), 0)::bigint as matched_count,
        coalesce(sum(other_trials) filter (trials > 0), 0)::bigint as other_matched_count,
        coalesce(
            greatest(
                sum(tasks) filter (other_trials > 0), sum(most_tasks) filter (other_trials > 0)
            ),
            0
        )::bigint as matched_task_count,
        coalesce(
            greatest(
                sum(other_tasks) filter (trials > 0), sum(other_most_tasks) filter (trials > 0)
            ),
            0
        )::bigint as other_matched_task_count
    from deviations
    group by time_range, dimension, name, other_name
)
{%- endmacro %}
