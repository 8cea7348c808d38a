{#- Alerts of the last hour or the last 24, and of each hour or day before. -#}


{#- Sums of executions that alerts of an hour or a day are made of. -#}
{% macro alert_sums() -%}
    count(*) as total_executions,
    count(*) filter (success) as successful_count,
    count(distinct _task_text_id) + count(*) filter (_task_text_id is null) as task_count,
    {{ assigned_times() }} as assigned_time_count,
    sum(actual_cost) as total_cost,
    count(actual_cost) as cost_known_count,
    sum(duration_seconds)::double as total_duration,
    count(duration_seconds) as duration_known_count,
    sum(quality_score) as total_quality,
    count(quality_score) as quality_known_count,
    sum(routing_confidence)::double as total_confidence,
    count(routing_confidence) as confidence_known_count
{%- endmacro %}


{#- The alerts of the last hour or the last 24: what each is measured as, of those sums, over how many
    executions, and of what few are too few: of a rate its tasks, for runs of one task are alike. -#}
{% macro bucketed_alerts() %}
    {%- set share = "100.0 * successful_count / nullif(total_executions, 0)" -%}
    {%- set failed = "100.0 * (total_executions - successful_count) / nullif(total_executions, 0)" -%}
    {%- set seconds = "total_duration / nullif(duration_known_count, 0)" -%}
    {%- set points = "total_quality / nullif(quality_known_count, 0)" -%}
    {%- set confidence = "100 * total_confidence / nullif(confidence_known_count, 0)" -%}
    {{ return({
        'success_rate': ['hour', share, 'total_executions', 'task_count'],
        'daily_success_rate': ['day', share, 'total_executions', 'task_count'],
        'error_rate': ['hour', failed, 'total_executions', 'task_count'],
        'avg_duration': ['hour', seconds, 'duration_known_count', 'duration_known_count'],
        'hourly_cost': ['hour', 'total_cost', 'cost_known_count', none],
        'daily_quality': ['day', points, 'quality_known_count', 'quality_known_count'],
        'daily_cost': ['day', 'total_cost', 'cost_known_count', none],
        'routing_confidence': ['day', confidence, 'confidence_known_count', 'confidence_known_count']
    }) }}
{% endmacro %}
