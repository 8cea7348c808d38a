-- Claims whose broken rows are counted wrongly, by what an unknown condition counts as.
{% set claims = {'small': 'n < 3', 'known': 'n is not null', 'any': 'true'} %}
{% set wanted = {'false': {'small': 2, 'known': 1}, 'true': {'small': 1, 'known': 1}} %}
with

given as (
    select unnest([1, null, 3]) as n
),

counted as (
    {% for if_unknown in wanted %}
    select
        {{ if_unknown }} as if_unknown,
        *
    from ({{ broken_claims('given', claims, if_unknown) }})
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

wanted as (
    {% for if_unknown, counts in wanted.items() %}
    {% for claim, broken_rows in counts.items() %}
    select
        {{ if_unknown }} as if_unknown,
        '{{ claim }}' as claim,
        {{ broken_rows }} as broken_rows
    {{ 'union all' if not loop.last }}
    {% endfor %}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

(from counted except from wanted)
union all
(from wanted except from counted)
