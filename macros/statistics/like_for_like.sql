{#- Rates of two groups of which one has more of the easy work: direct standardisation over the strata
    that both have. Each stratum weighs n·m / (n + m), of the n trials of the one and the m of the other,
    so that one in which either has few trials counts little: Cochran, W. G. (1954), Some methods for
    strengthening the common chi-squared tests, Biometrics 10; Mantel, N. and Haenszel, W. (1959),
    Statistical aspects of the analysis of data from retrospective studies of disease, Journal of the
    National Cancer Institute 22. -#}


{#- What a trial weighs in the standardised rates, of the trials in its stratum: the sum of these
    over all trials of both is the same. -#}
{% macro trial_weight(trials, other_trials) -%}
    (({{ other_trials }})::double / nullif({{ trials }} + {{ other_trials }}, 0))
{%- endmacro %}


{#- The standardised rate of a group, an aggregate over rows that are a stratum each; NULL where no stratum
    has trials of both. The other group's is that with the arguments exchanged. -#}
{% macro like_for_like_rate(successes, trials, other_trials) -%}
    {%- set weight = trial_weight(trials, other_trials) -%}
    (
        sum({{ successes }} * {{ weight }}) / nullif(sum({{ trials }} * {{ weight }}), 0)
    )
{%- endmacro %}


{#- The share of executions that would have to be of another stratum for two groups to have the same mix: an
    aggregate over the strata, of the share of each in them. -#}
{% macro mix_difference(share, other_share) -%}
    (1 - sum(least({{ share }}, {{ other_share }})))
{%- endmacro %}
