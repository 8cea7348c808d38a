{#- CTEs up to `cells`: of the pairs in the CTE `pairs`, each stratum with the sums of both. -#}
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
        {% for figure in ['trials', 'successes', 'tasks'] + repeated_sums().keys() | list %}
        coalesce(sum(stratum.{{ figure }}) filter ({{ is_one }}), 0) as {{ side }}{{ figure }},
        {% endfor %}
        {% endfor %}
        any_value(stratum.task_type) as task_type
    from sides
    group by time_range, dimension, one.name, other.name, stratum.stratum
)
{%- endmacro %}
