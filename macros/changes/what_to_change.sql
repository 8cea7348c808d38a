{#- The kinds of rpt_what_to_change, and their changes. -#}


{#- What a change of each kind stands in, and by what of it. Columns that a kind lacks are NULL. -#}
{% macro change_sources() %}
    {{ return({
        'route': ['rpt_route_changes', 'repo', 'plan', 'task_count', true],
        'larger_tier': ['rpt_larger_tiers', 'repo', 'task_description', '1', true],
        'unsolved_tasks': ['rpt_unsolved_repositories', 'repo', 'null', 'task_count', true],
        'better_solution': ['rpt_better_solutions', 'repo', 'task_description', '1', false],
        'better_retry': [
            'rpt_better_retries', 'null', "error_type || ' on ' || " ~ quoted_tier('model_tier'),
            'task_count', true
        ],
        'regression': [
            'rpt_regressions', "case when dimension = 'repository' then name end", 'name',
            'null', false
        ],
        'recording': ['rpt_recording_gaps', 'null', 'column_name', 'null', none]
    }) }}
{% endmacro %}


{#- All changes of all kinds. -#}
{% macro changes_of_kinds() -%}
    {% for kind, (relation, repo, subject, tasks, has_cost) in change_sources().items() %}
    select
        '{{ kind }}' as kind,
        {{ repo }}::varchar as repo,
        {{ subject }}::varchar as subject,
        sentence,
        reason,
        {{ stakes(
            'usd_per_30_days' if has_cost else none,
            'successes_per_30_days' if has_cost is not none else none
        ) }},
        execution_count::bigint as execution_count,
        {{ tasks }}::bigint as task_count,
        {{ 'importance' if kind == 'recording' else 1 }} as importance
    from {{ ref(relation) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{#- What is said of a kind of which no change is known. -#}
{% macro change_kinds() -%}
    {%- set least = var('change_least_runs') ~ ' runs each' -%}
    {%- set nothing = {
        'route': ['No routing policy is known to be better than the baseline.',
            'it takes decisions recorded with their chances; rpt_routing_recommendations says how many'],
        'larger_tier': ['No task is known to need a larger tier.',
            'it takes a task with ' ~ least ~ ' on two tiers, whose intervals do not overlap'],
        'unsolved_tasks': ['No task is known to be beyond all tiers.',
            'it takes a task of ' ~ setting('min_samples_for_learning', '10') ~ ' runs without a success'],
        'better_solution': ['No solution is known to be better than another of the same task.',
            'it takes two solutions of a task on one tier with ' ~ least ~ ', whose intervals do not overlap'],
        'better_retry': ['No change is known to mend an error better than the same again.',
            'it takes both tried ' ~ var('change_least_runs') ~ ' times, and intervals that do not overlap'],
        'regression': ['No tier, pool, model or repository is known to have dropped.',
            'it takes ' ~ setting('min_samples_for_learning', '10')
            ~ ' runs in the last 24 hours and before, and a drop beyond the alert tier_drop'],
        'recording': ['What is needed for these reports is recorded.', 'as far as the last 30 days show']
    } -%}
    {% for kind, (sentence, reason) in nothing.items() %}
    select
        '{{ kind }}' as kind,
        {{ loop.index }} as kind_order,
        '{{ sentence }}' as sentence,
        '{{ reason }}' as reason,
        'select * from {{ change_sources()[kind][0] }}' as source
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}
