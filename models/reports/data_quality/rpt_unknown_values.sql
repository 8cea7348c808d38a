-- One row is a time range and a column of the record that may be unknown, with how often it is.
{% set columns = [
    'file_count', 'estimated_tokens', 'swarm_topology', 'routing_confidence', 'complexity_score',
    'duration_seconds', 'quality_score', 'cost_estimate', 'actual_cost', 'user_accepted',
    'user_rating', 'peak_memory_mb', 'cpu_time_seconds', 'solution_summary', 'task_description'
] %}
{% set named_unknown = ['task_type', 'repo', 'model_tier', 'pool_type'] %}
with

-- From the public view, because it is where people's later feedback joins the record's own.
executions as (
    {{ in_time_ranges('executions') }}
),

known_counts as (
    select
        time_range,
        count(*) as total_executions,
        unnest([
            {% for column in columns %}
            {
                'column_name': '{{ column }}',
                'known_count': count({{ column }})
            },
            {% endfor %}
            {% for column in named_unknown %}
            {
                'column_name': '{{ column }}',
                'known_count': count(*) filter ({{ column }} <> 'unknown')
            }{{ ',' if not loop.last }}
            {% endfor %}
        ]) as known
    from executions
    group by time_range
)

select
    time_range,
    known.column_name,
    total_executions,
    total_executions - known.known_count as unknown_count,
    (total_executions - known.known_count) / total_executions as unknown_share
from known_counts
