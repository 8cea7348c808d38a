{#- Products of the measures of texts, which errors are made of. -#}


{#- The products of two measures of texts, summed over both orders of two sums of a text. -#}
{% macro product_of(one_measure, other_measure) -%}
    sum(
        moments.product * (
            one.{{ one_measure }} * other.{{ other_measure }}
            + one.{{ other_measure }} * other.{{ one_measure }}
        ) * case when moments.is_square then 0.5 else 1 end
    )
{%- endmacro %}


{#- How large the terms of a measure's square are that mostly cancel each other out: what its rounding is to
    be measured by. -#}
{% macro size_of(measure) -%}
    sum(
        abs(moments.product * one.{{ measure }} * other.{{ measure }})
        * case when moments.is_square then 1 else 2 end
    )
{%- endmacro %}


{#- The columns of products: those of each pair of measures, and the sizes of the terms of squares. -#}
{% macro product_columns() %}
    {%- set columns = measure_pairs() | map('join', '_') | list -%}
    {{ return(columns + ['success_size', 'capped_cost_size']) }}
{% endmacro %}


{#- The pairs of measures whose products errors are made of. -#}
{% macro measure_pairs() %}
    {{ return([
        ('success', 'success'), ('success', 'capped_cost'), ('success', 'decisions'),
        ('success', 'known_decisions'), ('capped_cost', 'capped_cost'),
        ('capped_cost', 'decisions'), ('capped_cost', 'known_decisions'),
        ('decisions', 'decisions'), ('decisions', 'known_decisions'),
        ('known_decisions', 'known_decisions'),
    ]) }}
{% endmacro %}
