{#- The claims about a relation that some of its rows break, with how many do. One scan for all of
    them.

    claims: conditions by their names.
    if_unknown: 'true' or 'false', what a condition counts as that is NULL. -#}
{% macro broken_claims(relation, claims, if_unknown) -%}
    select *
    from (
        select
            unnest(
                [
                    {% for name, condition in claims.items() %}
                    {
                        'claim': '{{ name }}',
                        'broken_rows': count(*) filter (
                            where not coalesce({{ condition }}, {{ if_unknown }})
                        )
                    }{{ ',' if not loop.last }}
                    {% endfor %}
                ],
                recursive := true
            )
        from {{ relation }}
    )
    where broken_rows > 0
{%- endmacro %}
