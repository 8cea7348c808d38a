{#- Columns of a stratum, from which `like_for_like_spread` finds how far a standardised rate is
    known. `side` begins the names of its sums. Tasks of one run are in one stratum. The others may
    be in several, and are alike there: so their deviations add up, those of a kind of task. -#}
{% macro stratum_deviations(side, other, kind) -%}
    {%- set weight = trial_weight(side ~ 'trials', other ~ 'trials') -%}
    {%- set rate = side ~ 'successes / nullif(' ~ side ~ 'trials, 0)' -%}
    {%- set lone_successes = '(' ~ side ~ 'successes - ' ~ side ~ 'repeated_successes)' -%}
    {%- set lone_trials = '(' ~ side ~ 'trials - ' ~ side ~ 'repeated_trials)' -%}
    pow({{ weight }}, 2) * (
        {{ lone_successes }} * pow(1 - {{ rate }}, 2)
        + ({{ lone_trials }} - {{ lone_successes }}) * pow({{ rate }}, 2)
    ) as {{ side }}lone_variance,
    pow({{ weight }}, 2) * {{ lone_trials }} as {{ side }}lone_weight,
    {{ weight }} * sqrt(greatest(
        {{ side }}success_squares
        - 2 * {{ rate }} * {{ side }}success_trials
        + pow({{ rate }}, 2) * {{ side }}trial_squares,
        0
    )) as {{ side }}deviation,
    {{ weight }} * sqrt({{ side }}trial_squares) as {{ side }}weight,
    sum({{ side }}deviation) over {{ kind }} as {{ side }}kind_deviation,
    sum({{ side }}weight) over {{ kind }} as {{ side }}kind_weight
{%- endmacro %}


{#- How far a standardised rate is known: an aggregate over rows that are a stratum each, as a struct.
    `degrees`: as many tasks of equal weight would tell as much (Kish), less the strata, each of which
    has a rate of its own; NULL of no more tasks than strata. `squared_error`: its variance. -#}
{% macro like_for_like_spread(side, other) -%}
    {%- set weight = trial_weight(side ~ 'trials', other ~ 'trials') -%}
    {%- set total = 'pow(sum(' ~ weight ~ ' * ' ~ side ~ 'trials), 2)' -%}
    {%- set effective -%}
        {{ total }} / nullif(
            sum({{ side }}lone_weight + {{ side }}weight * {{ side }}kind_weight), 0
        )
    {%- endset -%}
    {%- set strata = 'count(*) filter (' ~ side ~ 'trials > 0 and ' ~ other ~ 'trials > 0)' -%}
    {
        'degrees': nullif(greatest({{ effective }} - {{ strata }}, 0), 0),
        'squared_error': sum(
            {{ side }}lone_variance + {{ side }}deviation * {{ side }}kind_deviation
        ) / nullif({{ total }}, 0)
        * {{ effective }} / nullif(greatest({{ effective }} - {{ strata }}, 0), 0)
    }
{%- endmacro %}


{#- The relative variance of a standardised rate, of its spread. -#}
{% macro like_for_like_variance(rate, spread) -%}
    {{ relative_variance(rate, spread ~ '.squared_error', spread ~ '.degrees + 1') }}
{%- endmacro %}
