-- One row is a figure that cannot be told, because a column of the last 30 days is not recorded.
--
-- Error types are of failures, solutions of successes; the others of all executions.
{{ config(materialized=whole_table()) }}
{%- set known = {
    'routing_chances': "coalesce(json_exists(metadata, '$.routing.candidates[0].propensity'), "
        ~ "false)",
    'actual_cost': 'actual_cost is not null',
    'quality_score': 'quality_score is not null',
    'error_type': 'error_type is not null',
    'solution_summary': '_solution_text_id is not null',
    'complexity_score': 'complexity_score is not null',
    'duration_seconds': 'duration_seconds is not null'
} %}
{%- set of = {'error_type': 'not success', 'solution_summary': 'success'} %}

with

executions as (
    select *
    from {{ ref('fct_executions') }}
    where {{ is_recent() }} and timestamp <= {{ utc_now() }}
),

counts as (
    select
        unnest(
            [
                {% for column, condition in known.items() %}
                {
                    'column_name': '{{ column }}',
                    'unknown_count': count(*) filter (
                        {{ of.get(column, 'true') }} and not {{ condition }}
                    ),
                    'execution_count': count(*) filter ({{ of.get(column, 'true') }})
                }{{ ',' if not loop.last }}
                {% endfor %}
            ],
            recursive := true
        )
    from executions
)

select
    counts.column_name,
    counts.execution_count,
    counts.unknown_count,
    counts.unknown_count / counts.execution_count as unknown_share,
    gaps.importance,
    gaps.cannot_be_said,
    gaps.what_it_takes,
    format(
        'Record {}: unknown of {:,} of {} of 30 days, so it cannot be said {}.',
        replace(counts.column_name, '_', ' '), counts.unknown_count,
        {{ shown_count('counts.execution_count', 'execution') }}, gaps.cannot_be_said
    ) as sentence,
    'it takes: ' || gaps.what_it_takes as reason
from counts
inner join {{ ref('recording_gaps') }} as gaps
    on counts.column_name = gaps.column_name
where counts.execution_count > 0 and unknown_share >= gaps.shown_from_share
