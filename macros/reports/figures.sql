{#- The figures of a group of executions, and the columns that show them. -#}


{#- Aggregates of a group of executions; each average with the rows that it is over. -#}
{% macro execution_figures() -%}
    count(*) as total_executions,
    count(*) filter (success) as successful_count,
    avg(duration_seconds) as avg_duration,
    count(duration_seconds) as duration_known_count,
    sum(actual_cost) as total_cost,
    avg(actual_cost) as avg_cost,
    count(actual_cost) as cost_known_count,
    avg(quality_score) as avg_quality,
    count(quality_score) as quality_known_count,
    avg(routing_confidence) as avg_routing_confidence,
    count(routing_confidence) as routing_confidence_known_count
{%- endmacro %}


{#- The columns that a report shows of those aggregates; `of` is the CTE that has them. -#}
{% macro figure_columns(of) -%}
    coalesce({{ of }}.total_executions, 0) as total_executions,
    coalesce({{ of }}.successful_count, 0) as successful_count,
    {{ rate_over_tasks('success_rate', of, 'successful_count', 'total_executions') }},
    {{ of }}.avg_duration,
    coalesce({{ of }}.duration_known_count, 0) as duration_known_count,
    {{ of }}.total_cost,
    {{ of }}.avg_cost,
    coalesce({{ of }}.cost_known_count, 0) as cost_known_count,
    {{ of }}.avg_quality,
    coalesce({{ of }}.quality_known_count, 0) as quality_known_count,
    {{ of }}.avg_routing_confidence,
    coalesce({{ of }}.routing_confidence_known_count, 0) as routing_confidence_known_count
{%- endmacro %}


{#- A rate over executions, its interval, over how many tasks it is, and whether they are enough to be
    learned from; `of` is the CTE `rates` of rates_by_task, or what has its columns. -#}
{% macro rate_over_tasks(name, of, successes, trials) -%}
    {%- set rate = of ~ '.' ~ successes ~ ' / nullif(' ~ of ~ '.' ~ trials ~ ', 0)' -%}
    {{ rate }} as {{ name }},
    {% for bound, sign in {'lower': '-', 'upper': '+'}.items() %}
    {{ rate_bound(rate, of ~ '._rate_variance', of ~ '._rate_t', sign) }} as {{ name }}_{{ bound }},
    {% endfor %}
    coalesce({{ of }}.task_count, 0) as task_count,
    coalesce({{ of }}.task_count, 0) >= {{ setting('min_samples_for_learning', '10') }}
        as has_enough_samples
{%- endmacro %}


{#- A rate over what does not repeat: its Wilson interval, and whether it is over enough trials. -#}
{% macro rate_columns(name, successes, trials) -%}
    {{ rate_with_bounds(successes, trials, name) }},
    coalesce({{ trials }}, 0) >= {{ setting('min_samples_for_learning', '10') }} as has_enough_samples
{%- endmacro %}


{#- Interpolated percentiles of the duration, as a list: the 50th, 95th and 99th. -#}
{% macro duration_percentiles() -%}
    quantile_cont(duration_seconds::double, [0.5, 0.95, 0.99])
{%- endmacro %}


{#- What a success costs, the failures beside it included, and over how many successes. -#}
{% macro success_cost_figures() -%}
    sum(actual_cost) / nullif(count(actual_cost) filter (success), 0) as cost_per_success,
    count(actual_cost) filter (success) as cost_known_success_count
{%- endmacro %}


{#- How much less was paid than expected, where both are known. -#}
{% macro savings_figures() -%}
    avg(cost_estimate::double - actual_cost) as avg_savings,
    count(cost_estimate + actual_cost) as savings_known_count
{%- endmacro %}
