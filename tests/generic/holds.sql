{#- What does not hold of the model, with how many rows break it: that there is `one_row_per`
    combination of columns, and that each of `claims`, conditions by their names, is true of every
    row. Unknown counts as broken. -#}
{% test holds(model, one_row_per, claims) %}
    {{ config(fail_calc='coalesce(sum(broken_rows), 0)') }}
    {{ broken_claims(model, claims, if_unknown='false') }}
    union all
    select
        'one row per {{ one_row_per | join(", ") }}' as claim,
        count(*) as broken_rows
    from {{ model }}
    group by {{ one_row_per | join(', ') }}
    having count(*) > 1
{% endtest %}
