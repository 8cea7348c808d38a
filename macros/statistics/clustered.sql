{#- The interval of a rate whose executions are not independent of each other, because several are
    runs of one task: at 95 %, robust to clusters (tasks). Each macro is an SQL expression of others.

    The variance is that of a ratio estimate: Cochran, W. G. (1977), Sampling Techniques, 3rd edition,
    equation 2.46. The interval has Wilson's form with a design effect and t in place of z: Korn,
    E. L. and Graubard, B. I. (1998), Confidence intervals for proportions with small expected number
    of positive counts estimated from survey data, Survey Methodology 24. Tasks of unequal numbers of
    runs count for fewer: Kish, L. (1965), Survey Sampling, section 11.7. -#}


{#- The squared standard error of a rate, of the sums over its tasks of successes², successes x trials
    and trials²; NULL of no tasks and of one. -#}
{% macro squared_error(successes, trials, tasks, success_squares, success_trials, trial_squares) -%}
    {%- set rate = '(' ~ successes ~ ') / nullif((' ~ trials ~ ')::double, 0)' -%}
    (
        ({{ tasks }}) / nullif(({{ tasks }}) - 1, 0)::double
        * greatest(
            ({{ success_squares }})
            - 2 * {{ rate }} * ({{ success_trials }})
            + pow({{ rate }}, 2) * ({{ trial_squares }}),
            0
        ) / pow(nullif(({{ trials }})::double, 0), 2)
    )
{%- endmacro %}


{#- As many tasks of equally many runs would tell as much as these of unequal numbers of runs. -#}
{% macro effective_tasks(trials, trial_squares) -%}
    (pow(({{ trials }})::double, 2) / nullif({{ trial_squares }}, 0))
{%- endmacro %}


{#- The variance of a rate in units of rate x (1 - rate), of its squared standard error and how many
    tasks it is over, and at least as much as is given. Where no difference between tasks is seen,
    because all or none succeeded or each task has the same rate, it is that of so many tasks; NULL of
    one task and of none. -#}
{% macro relative_variance(rate, squared_error, effective, least='0') -%}
    {%- set spread = '((' ~ rate ~ ') * (1 - (' ~ rate ~ ')))' -%}
    (
        case
            when ({{ effective }}) <= 1 + 1e-9 then null
            when ({{ squared_error }}) > 1e-12 * {{ spread }}
                then greatest(({{ squared_error }}) / {{ spread }}, {{ least }})
            else 1 / (({{ effective }}) - 1)
        end
    )
{%- endmacro %}


{#- A bound of a rate, of its relative variance and the t to be held by. What rests on one task may be
    anything from 0 to 1; NULL of no trials. -#}
{% macro rate_bound(rate, relative_variance, t, sign) -%}
    {%- set spread = '(pow(' ~ t ~ ', 2) * (' ~ relative_variance ~ '))' -%}
    (
        case
            when ({{ rate }}) is null then null
            else coalesce(
                (
                    ({{ rate }}) + {{ spread }} / 2
                    {{ sign }} sqrt(greatest(
                        {{ spread }} * ({{ rate }}) * (1 - ({{ rate }})) + pow({{ spread }} / 2, 2), 0
                    ))
                ) / (1 + {{ spread }}),
                {{ 0 if sign == '-' else 1 }}
            )
        end
    )
{%- endmacro %}
