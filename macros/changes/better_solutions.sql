{#- Parts of rpt_better_solutions. -#}


{#- CTEs up to `best`: of the pairs whose intervals lie apart, for each worse solution the best one. -#}
{% macro better_of_pairs() -%}
bounded as (
    select
        pairs.*,
        confidence.comparison_count,
        {% for solution in ['worse', 'better'] %}
        {% for bound, sign in {'lower': '-', 'upper': '+'}.items() %}
        {{ bound_of_runs(solution ~ '.success_count', solution ~ '.execution_count', 'z', sign) }}
            as {{ solution }}_{{ bound }},
        {% endfor %}
        {% endfor %}
    from pairs
    cross join confidence
),

best as (
    select *
    from bounded
    where better_lower > worse_upper
    qualify
        row_number() over (
            partition by worse.repo, worse.text_id, worse.model_tier, worse.solution_id
            order by better_lower desc, better.solution_id
        ) = 1
)
{%- endmacro %}


{#- The columns, of the CTE `best`. -#}
{% macro better_solution_columns() -%}
select
    worse.repo,
    worse.text_id,
    worse.model_tier,
    worse.solution_id,
    worse.task_description,
    worse.solution_summary,
    better.solution_summary as better_solution,
    {% for solution in ['worse', 'better'] %}
    {{ solution }}.execution_count as {{ solution }}_execution_count,
    {{ solution }}.success_count as {{ solution }}_success_count,
    {{ solution }}.success_rate as {{ solution }}_success_rate,
    {{ solution }}_lower as {{ solution }}_success_rate_lower,
    {{ solution }}_upper as {{ solution }}_success_rate_upper,
    {% endfor %}
    comparison_count,
    worse.recent_count,
    format(
        'For {} use {}: {:,} of {} succeeded, {:,} of {:,} with {}.',
        {{ quoted_text('worse.task_description') }}, {{ quoted_text('better.solution_summary') }},
        better.success_count, {{ shown_count('better.execution_count', 'run') }},
        worse.success_count, worse.execution_count, {{ quoted_text('worse.solution_summary') }}
    ) as sentence,
    format(
        'both on {}; intervals apart over {}; solutions were chosen by agents, not drawn',
        {{ quoted_tier('worse.model_tier') }}, {{ shown_count('comparison_count', 'comparison') }}
    ) as reason,
    worse.recent_count * (better.success_rate - worse.success_rate) as successes_per_30_days,
    worse.recent_count * {{ difference_bound('better.success_rate', 'better_lower',
        'worse.success_rate', 'worse_upper', '-') }} as successes_per_30_days_lower,
    worse.recent_count * {{ difference_bound('better.success_rate', 'better_upper',
        'worse.success_rate', 'worse_lower', '+') }} as successes_per_30_days_upper,
    worse.execution_count + better.execution_count as execution_count
{%- endmacro %}
