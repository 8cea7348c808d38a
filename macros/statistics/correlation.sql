{#- Where few tasks have most of the runs, their residuals show too little of how tasks differ. A rate's
    variance is then that which the correlation of a task's runs gives: Donner, A. (1986), A review of
    inference procedures for the intraclass correlation coefficient in the one-way random effects
    model, International Statistical Review 54. -#}


{#- How alike the runs of a task are, 0 to 1, by analysis of variance; of the sums over the tasks of
    successes² / trials and of trials². 1 where nothing differs, 0 where no task has two runs. -#}
{% macro run_correlation(successes, trials, tasks, success_shares, trial_squares) -%}
    {%- set within = '(((' ~ successes ~ ') - (' ~ success_shares ~ ')) / nullif((' ~ trials ~ ') - ('
        ~ tasks ~ '), 0)::double)' -%}
    {%- set between = '(((' ~ success_shares ~ ') - pow(' ~ successes ~ ', 2) / nullif((' ~ trials
        ~ ')::double, 0)) / nullif((' ~ tasks ~ ') - 1, 0))' -%}
    {%- set runs = '(((' ~ trials ~ ') - (' ~ trial_squares ~ ') / nullif((' ~ trials
        ~ ')::double, 0)) / nullif((' ~ tasks ~ ') - 1, 0))' -%}
    (
        case
            when ({{ trials }}) <= ({{ tasks }}) then 0
            when ({{ tasks }}) <= 1 or {{ within }} + {{ between }} < 1e-6 then 1
            else greatest(least(
                ({{ between }} - {{ within }}) / ({{ between }} + ({{ runs }} - 1) * {{ within }}), 1
            ), 0)
        end
    )
{%- endmacro %}


{#- The variance of a rate whose runs are so correlated, in the same units. -#}
{% macro correlated_variance(correlation, trials, effective) -%}
    (
        1 / nullif(({{ trials }})::double, 0)
        + ({{ correlation }}) * (1 / ({{ effective }}) - 1 / nullif(({{ trials }})::double, 0))
    )
{%- endmacro %}
