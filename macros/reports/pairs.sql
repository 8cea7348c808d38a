{#- CTEs up to `pairs`: each two of the 10 most used members of a dimension in a range, with the strata
    of both, from the CTE `strata`. -#}
{% macro pairs_of_members() -%}
-- Each CTE is read once, so that a filter on the range leaves the others unread.
names as (
    select
        time_range,
        dimension,
        name,
        sum(trials)::bigint as trials,
        sum(successes) / sum(trials) as success_rate,
        list({
            'stratum': stratum, 'task_type': task_type,
            {% for figure in ['trials', 'successes', 'tasks'] + repeated_sums().keys() | list %}
            '{{ figure }}': {{ figure }}{{ ',' if not loop.last }}
            {% endfor %}
        }) as strata
    from strata
    group by time_range, dimension, name
    qualify
        row_number() over (
            partition by time_range, dimension order by sum(trials) desc, name asc
        ) <= 10
),

members as (
    select
        time_range,
        dimension,
        list({
            'name': name, 'trials': trials, 'success_rate': success_rate, 'strata': strata
        }) as members
    from names
    group by time_range, dimension
),

pairs as (
    select
        time_range,
        dimension,
        one,
        unnest(members) as other
    from (
        select
            *,
            unnest(members) as one
        from members
    ) as ones
)
{%- endmacro %}
