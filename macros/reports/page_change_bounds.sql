{#- How far the ratios of the page's tiles are known, and whether they are apart. -#}


{#- The ratios of `sums`, whose squares `repeated_sums` completes, with their bounds at 95 % and whether
    they are over enough tasks. A rate has Wilson's bounds, the others those of a mean. -#}
{% macro ratio_columns() -%}
    {% for name in compared_ratios() %}
    {%- set of, over, tasks = name ~ '_of', name ~ '_over', name ~ '_task_count' %}
    {%- for part in ['tasks', 'of_squares', 'products', 'over_squares'] %}
    coalesce(sums.{{ name }}_{{ part }}, 0) + coalesce(repeated_sums.{{ name }}_{{ part }}, 0)
        as {{ tasks if part == 'tasks' else '_' ~ name ~ '_' ~ part }},
    {%- endfor %}
    sums.{{ over }} as {{ name }}_known_count,
    sums.{{ of }} / nullif(sums.{{ over }}, 0) as {{ name }},
    {{ squared_error(
        'sums.' ~ of, 'sums.' ~ over, tasks, '_' ~ name ~ '_of_squares', '_' ~ name ~ '_products',
        '_' ~ name ~ '_over_squares'
    ) }} as _{{ name }}_error,
    {{ effective_tasks('sums.' ~ over, '_' ~ name ~ '_over_squares') }} as _{{ name }}_effective,
    {{ t_quantile('_' ~ name ~ '_effective - 1') }} as _{{ name }}_t,
    {% for bound, sign in {'lower': '-', 'upper': '+'}.items() %}
    {% if name == 'success_rate' %}
    {{ rate_bound(
        name, relative_variance(name, '_' ~ name ~ '_error', '_' ~ name ~ '_effective'),
        '_' ~ name ~ '_t', sign
    ) }} as {{ name }}_{{ bound }},
    {% else %}
    {{ name }} {{ sign }} _{{ name }}_t * sqrt(_{{ name }}_error) as {{ name }}_{{ bound }},
    {% endif %}
    {% endfor %}
    {{ tasks }} >= {{ setting('min_samples_for_learning', '10') }} as {{ name }}_is_enough
    {{- ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{#- What each ratio was before, how far `shown` and `before` are apart, and the interval's say on it. -#}
{% macro ratio_changes() -%}
    {% for name, (_, _, more_is) in compared_ratios().items() %}
    before.{{ name }} as {{ name }}_before,
    coalesce(before.{{ name }}_known_count, 0)::bigint
        as {{ name | replace('avg_', '') }}_before_known_count,
    shown.{{ name }} - before.{{ name }} as {{ name }}_change,
    {% for bound, other, sign in [('lower', 'upper', '-'), ('upper', 'lower', '+')] %}
    {{ difference_bound(
        'shown.' ~ name, 'shown.' ~ name ~ '_' ~ bound,
        'before.' ~ name, 'before.' ~ name ~ '_' ~ other, sign
    ) }} as {{ name }}_change_{{ bound }},
    {% endfor %}
    case
        when shown.{{ name }} is null or before.{{ name }} is null then null
        when not (shown.{{ name }}_is_enough and before.{{ name }}_is_enough) then 'too few'
        when {{ name }}_change_lower > 0 then '{{ more_is }}'
        when {{ name }}_change_upper < 0 then '{{ 'worse' if more_is == 'better' else 'better' }}'
        else 'unclear'
    end as {{ name }}_say
    {{- ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}
