{#- CTEs up to `compared`: of the pairs in the CTE `pairs`, each with the strata of both, the rates of the
    two, plain and like for like. -#}
{% macro sides_of_pairs() -%}
sides as (
    select
        * exclude (side),
        side.is_one,
        unnest(side.strata) as stratum
    from (
        select
            *,
            unnest([
                {'is_one': true, 'strata': one.strata}, {'is_one': false, 'strata': other.strata}
            ]) as side
        from pairs
        where one.name != other.name
    )
),

cells as (
    select
        time_range,
        dimension,
        one.name as name,
        other.name as other_name,
        any_value(one.trials) as total_executions,
        any_value(one.success_rate) as success_rate,
        any_value(other.trials) as other_executions,
        any_value(other.success_rate) as other_success_rate,
        {% for side, is_one in {'': 'is_one', 'other_': 'not is_one'}.items() %}
        coalesce(sum(stratum.trials) filter ({{ is_one }}), 0) as {{ side }}trials,
        coalesce(sum(stratum.successes) filter ({{ is_one }}), 0) as {{ side }}successes,
        coalesce(sum(stratum.tasks) filter ({{ is_one }}), 0) as {{ side }}tasks
        {{- ',' if not loop.last }}
        {% endfor %}
    from sides
    group by time_range, dimension, one.name, other.name, stratum.stratum
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
        coalesce(sum(trials) filter (other_trials > 0), 0)::bigint as matched_count,
        coalesce(sum(other_trials) filter (trials > 0), 0)::bigint as other_matched_count,
        coalesce(sum(tasks) filter (other_trials > 0), 0)::bigint as matched_task_count,
        coalesce(sum(other_tasks) filter (trials > 0), 0)::bigint as other_matched_task_count
    from cells
    group by time_range, dimension, name, other_name
)
{%- endmacro %}
