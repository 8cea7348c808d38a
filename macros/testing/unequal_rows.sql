{#-
  The rows in which what is shown is not what is expected, by its figure and its key.

  comparisons: for each name the two queries, `expected` and `shown`; the columns that are the `key`
  of both; those that must be the `same`; and the `figures`, equal but for the order of a sum.
-#}
{% macro unequal_rows(comparisons) -%}
    {% for name, comparison in comparisons.items() %}
    select
        '{{ name }}' as compared,
        {% for column in ['time_range', 'hour', 'date'] if column in comparison.key %}
        coalesce(expected.{{ column }}, shown.{{ column }})::varchar as time
        {% endfor %}
    from ({{ comparison.expected }}) as expected
    full join ({{ comparison.shown }}) as shown
        on
            {% for column in comparison.key %}
            {{ 'and ' if not loop.first -}} expected.{{ column }} = shown.{{ column }}
            {% endfor %}
    where
        expected.{{ comparison.key[0] }} is null
        or shown.{{ comparison.key[0] }} is null
        {% for column in comparison.same %}
        or expected.{{ column }} is distinct from shown.{{ column }}
        {% endfor %}
        {% for column in comparison.figures %}
        or coalesce(
            abs(expected.{{ column }} - shown.{{ column }})
            > 1e-9 * greatest(abs(expected.{{ column }}), 0.001),
            expected.{{ column }} is distinct from shown.{{ column }}
        )
        {% endfor %}
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}
